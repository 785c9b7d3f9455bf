"""Folders that a sink makes, and removes again if nothing comes."""

from contextlib import suppress
from pathlib import Path


def made_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the ones that were missing, the innermost first.

    Raises:
        OSError: it cannot be made.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        remove_folders(missing)
        raise
    return missing


def remove_folders(folders: list[Path]) -> None:
    """Remove folders that are empty."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()
