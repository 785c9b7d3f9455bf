"""Folders that are written into: whether they can be, made where they are missing, removed again if nothing comes."""

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from edge_arseg.errors import SinkError
from edge_arseg.storage.fault import advice_on, free_bytes, nearest_there


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


def check_room(place: Path, needed: int, *, option: str = "") -> None:
    """Refuse a place whose disk has less room than what will be written there takes in any case.

    Args:
        place: file or folder to be written later; it or its parents may be missing.
        needed: bytes, at least.
        option: that names another place, such as ``-o``.

    Raises:
        SinkError: there is less room.
    """
    free = free_bytes(place)
    if free is not None and free < needed:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise SinkError(f"cannot write {place}: {advice_on(full, place, needed=needed, option=option)}")


def check_writable(folder: Path, advice: str) -> None:
    """Refuse a folder that is not there and cannot be made, or that nothing can be written into.

    A nameless file is tried: permissions alone do not tell of read-only disks, quotas or users of a network's disk.

    Args:
        folder: to be written later; it or its parents may be missing.
        advice: what to type where it cannot be written.

    Raises:
        SinkError: it cannot be written.
    """
    there = nearest_there(folder)
    try:
        if not there.is_dir():
            raise NotADirectoryError(f"{there} is not a folder")
        if not os.access(there, os.W_OK | os.X_OK):
            read_only = os.statvfs(there).f_flag & os.ST_RDONLY
            raise PermissionError("the file system is read-only" if read_only else "no permission")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written ({error.strerror or error}); {advice}") from error
