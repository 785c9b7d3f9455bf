"""What can be played of an mp4 that was not finished."""

import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

_HEAD = struct.Struct(">I4s")
_LONG = struct.Struct(">Q")


def drop_cut_fragment(path: Path) -> None:
    """Cut a fragmented mp4 behind its last whole fragment, and remove one that has none.

    Players stop at a cut fragment, or refuse the file. Nothing is done where it cannot be read or shortened.
    """
    with suppress(OSError):
        with path.open("rb") as file:
            length = os.fstat(file.fileno()).st_size
            whole = _whole(file, length)
        if not whole:
            path.unlink()
        elif whole < length:
            os.truncate(path, whole)


def _whole(file: BinaryIO, length: int) -> int:
    """Return where the last fragment ends that is whole: its pictures are in a box ``mdat``. 0: there is none."""
    at = whole = 0
    pictures = False
    while at + _HEAD.size <= length:
        file.seek(at)
        size, kind = _HEAD.unpack(file.read(_HEAD.size))
        if size == 1:
            tail = file.read(_LONG.size)
            size = _LONG.unpack(tail)[0] if len(tail) == _LONG.size else length
        if size < _HEAD.size or at + size > length:
            break
        at += size
        pictures |= kind == b"mdat"
        if pictures and kind != b"moof":
            whole = at
    return whole
