"""Folders of the targets in this one: roots and wheels are cached, for they take minutes to make."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
RECORDS = PROJECT / "benchmarks" / "results"
SHARED = PROJECT.parent / "shared"
"""Files that some tests read; they skip where it is missing."""


def cache() -> Path:
    """Return the folder for roots, environments and wheels: ``EDGE_ARSEG_MACHINES``, else in the user's cache."""
    named = os.environ.get("EDGE_ARSEG_MACHINES")
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = Path(named) if named else user / "edge-arseg-machines"
    root.mkdir(parents=True, exist_ok=True)
    return root
