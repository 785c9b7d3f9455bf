"""The package's folders in the user's home. What lies in the cache can be deleted at any time: it is made again."""

import os
from collections.abc import Mapping
from pathlib import Path


def user_cache(*, environment: Mapping[str, str] | None = None, home: Path | None = None) -> Path:
    """Return ``$XDG_CACHE_HOME/edge-arseg``, or ``~/.cache/edge-arseg``; nothing is made.

    A variable that holds no absolute path counts as not set, as the XDG Base Directory Specification has it: the folder
    would be another one wherever a command is typed.

    Args:
        environment: instead of the process's.
        home: instead of the user's.
    """
    return _folder("XDG_CACHE_HOME", ".cache", environment, home)


def user_configuration(*, environment: Mapping[str, str] | None = None, home: Path | None = None) -> Path:
    """Return ``$XDG_CONFIG_HOME/edge-arseg``, or ``~/.config/edge-arseg``; as ``user_cache``."""
    return _folder("XDG_CONFIG_HOME", ".config", environment, home)


def _folder(variable: str, below_home: str, environment: Mapping[str, str] | None, home: Path | None) -> Path:
    variables = os.environ if environment is None else environment
    root = Path(variables.get(variable, ""))
    if root.is_absolute():
        return root / "edge-arseg"
    try:
        return (home or Path.home()) / below_home / "edge-arseg"
    except RuntimeError:  # a user without an entry in passwd and without $HOME, as in many containers
        return Path("/nonexistent") / below_home / "edge-arseg"
