"""Which file a path names, whatever the spelling, and what kind of file that is."""

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

_DESCRIPTOR = re.compile(r"/dev/std(in|out|err)|(?:/dev|/proc/self)/fd/([0-9]+)")

Identity = tuple[object, ...]
"""Equal for two spellings of one file: device and inode, and the rest of the path for what is not there yet."""


def descriptor_of(path: str | os.PathLike[str]) -> int | None:
    """Return the open descriptor that a path such as ``/dev/stdout`` or ``/dev/fd/3`` names, else ``None``."""
    match = _DESCRIPTOR.fullmatch(os.path.normpath(os.fspath(path)))
    if match is None:
        return None
    return int(match[2]) if match[2] else ("in", "out", "err").index(match[1])


def identity(path: str | os.PathLike[str]) -> Identity:
    """Return what two spellings of one file share: links and ``..`` make no difference, nor does upper case where the
    file system sees none.

    Raises:
        OSError: a folder on the way cannot be looked into.
    """
    real = Path(os.path.realpath(path))
    rest: list[str] = []
    for place in (real, *real.parents):
        with suppress(FileNotFoundError, NotADirectoryError):
            found = place.stat()
            return (found.st_dev, found.st_ino, *reversed(rest))
        rest.append(place.name)
    return (str(real),)


def identity_of_descriptor(descriptor: int) -> Identity | None:
    """Return the ``identity`` of the ordinary file behind a descriptor; ``None`` for terminals, pipes, closed ones."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def is_special(path: Path) -> bool:
    """Whether a path is there and takes bytes without keeping them: a device that is no disk, a pipe, a socket."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISBLK(mode))
