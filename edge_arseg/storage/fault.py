"""Why a place could not be written, and what to do about it."""

import errno
import os
import re
import shutil
from pathlib import Path

_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space, or write to another place",
    errno.EDQUOT: "the disk quota is used up: free some space, or write to another place",
    errno.EFBIG: "the file may not grow further: see `ulimit -f`, or write to another place",
    errno.EROFS: "the file system is read-only: write to another place",
    errno.EACCES: "permission denied: write to another place, or change its permissions",
    errno.EPERM: "permission denied: write to another place, or change its permissions",
    errno.ENOTDIR: "a part of the path is a file, expected a directory: choose another path",
    errno.EISDIR: "it is a directory, expected a file: add a file name",
    errno.EEXIST: "it is a file, expected a directory: choose another path",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}
_FULL = (errno.ENOSPC, errno.EDQUOT)
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
"""How libraries in Rust (safetensors) name the number of an error of the operating system."""
_TORCH = "inline_container"
"""The file in which PyTorch finds that less was written than it gave; it does not say why."""


def advice_on(
    error: BaseException, place: Path | str | None = None, *, needed: int | None = None, option: str = ""
) -> str:
    """Return why something cannot be written and what to do, as the end of a message.

    Args:
        error: of the operating system, or of a library that wrote a file.
        place: file or folder that was written; where a disk is full, the free space there is said.
        needed: bytes that should have been written, if they are known.
        option: that names another place, such as ``-o``.
    """
    number = _number_of(error)
    advice = _ADVICE.get(number) if number is not None else None
    if advice is not None and option:
        advice = advice.replace("another place", f"another place with {option}")
    if advice is None:
        seen = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return f"{seen}: check that the place exists and can be written to"
    if number not in _FULL or place is None:
        return advice
    fault, end = advice.split(":", 1)
    return f"{fault}{_room(Path(place), needed)}:{end}"


def free_bytes(place: Path) -> int | None:
    """Return the free bytes of the disk that a place is on; ``None`` where the file system cannot be asked.

    Args:
        place: file or folder; it or its parents may be missing.
    """
    try:
        return shutil.disk_usage(nearest_there(place)).free
    except OSError:
        return None


def nearest_there(place: Path) -> Path:
    """Return a place, or the nearest folder above it that is there."""
    there = place.absolute()
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    return there


def _number_of(error: BaseException) -> int | None:
    number = getattr(error, "errno", None)
    if isinstance(number, int):
        return number
    if match := _OS_ERROR.search(str(error)):
        return int(match[1])
    return errno.ENOSPC if _TORCH in str(error) else None


def _room(place: Path, needed: int | None) -> str:
    """Return the free space of the disk with ``place`` in brackets; nothing for a device, which has none."""
    if place.exists() and not (place.is_file() or place.is_dir()):
        return ""
    free = free_bytes(place)
    if free is None:
        return ""
    more = "" if needed is None else f", {text_of_bytes(needed)} needed"
    return f" ({text_of_bytes(free)} free{more})"


def text_of_bytes(count: int) -> str:
    """Return a number of bytes for people, in the unit that fits."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count} bytes"
