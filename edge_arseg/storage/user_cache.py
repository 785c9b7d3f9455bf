"""The package's folder in the user's cache. What lies there can be deleted at any time: it is made again."""

import os
from collections.abc import Mapping
from pathlib import Path


def user_cache(*, environment: Mapping[str, str] | None = None, home: Path | None = None) -> Path:
    """Return ``$XDG_CACHE_HOME/edge-arseg``, or ``~/.cache/edge-arseg`` where the variable is not set; nothing is made.

    Args:
        environment: instead of the process's.
        home: instead of the user's.
    """
    variables = os.environ if environment is None else environment
    if root := variables.get("XDG_CACHE_HOME"):
        return Path(root) / "edge-arseg"
    try:
        return (home or Path.home()) / ".cache" / "edge-arseg"
    except RuntimeError:  # a user without an entry in passwd and without $HOME, as in many containers
        return Path("/nonexistent") / ".cache" / "edge-arseg"
