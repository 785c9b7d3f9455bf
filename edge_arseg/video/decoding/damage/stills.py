"""Files of one picture, as FFmpeg opens them."""

import io
import struct
from typing import Any, BinaryIO

from edge_arseg.errors import SourceError

_ENDINGS = ("_pipe", "image2")
_FORGIVING = "mjpeg"
"""The decoder that gives a picture out of a file that lacks a part of it: the rest is grey or green, and no word is
said. Others refuse such a file. Being strict, that of TIFF refuses sound ones for their EXIF data."""
_PACKED = 259  # the tag of a TIFF that says how its pixels are packed
_JPEG = (6, 7)
_MOST_TAGS = 4096
JPEG_IN_TIFF = (
    "a TIFF whose pixels are packed as JPEG, which this FFmpeg gives as an empty picture; convert it to PNG first"
)


def is_still(container: str) -> bool:
    """Whether a container is a bare picture.

    Args:
        container: FFmpeg's name of it.
    """
    return container.endswith(_ENDINGS)


def demand_whole(label: str, container: str, context: Any, data: bytes) -> None:
    """Let a decoder refuse a still of which a part is missing; what is wrong beside its pixels is no matter.

    Args:
        label: of the source, for messages.
        container: FFmpeg's name of it.
        context: of the decoder, before its first packet.
        data: of that packet, which holds the whole file.

    Raises:
        SourceError: FFmpeg would give an empty picture.
    """
    if not is_still(container):
        return
    if context.name == _FORGIVING:
        context.options = {"err_detect": "explode"}
    if context.name == "tiff" and is_jpeg_in_tiff(io.BytesIO(data)):
        raise SourceError(f"{label}: {JPEG_IN_TIFF}")


def is_jpeg_in_tiff(file: BinaryIO) -> bool:
    """Whether a file is a TIFF whose first picture is packed as JPEG.

    Args:
        file: that can be read at any place.

    Raises:
        OSError: it cannot be read.
    """
    file.seek(0)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(file.read(4))
    if order is None:
        return False
    file.seek(_number(order, "I", file.read(4)))
    for _ in range(min(_number(order, "H", file.read(2)), _MOST_TAGS)):
        entry = file.read(12)
        if _number(order, "H", entry[:2]) == _PACKED:
            wide = _number(order, "H", entry[2:4]) == 4
            return _number(order, "I" if wide else "H", entry[8 : 12 if wide else 10]) in _JPEG
    return False


def _number(order: str, kind: str, data: bytes) -> int:
    """A number; 0 where the file ends before it."""
    return int(struct.unpack(order + kind, data)[0]) if len(data) == struct.calcsize(kind) else 0
