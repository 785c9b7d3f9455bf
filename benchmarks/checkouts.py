"""What the benchmarks that compare two checkouts share."""

import subprocess
from pathlib import Path


def revision(tree: Path) -> str:
    """Return the commit of a checkout, with ``-dirty`` where files were changed; empty where it is no checkout."""
    command = ["git", "-C", str(tree), "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()
