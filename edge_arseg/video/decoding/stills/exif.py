"""How a still is to be shown, where FFmpeg does not say it."""

import io
from collections.abc import Callable

from edge_arseg.video.decoding.orientation import Orientation
from edge_arseg.video.decoding.stills.tags import tag_numbers
from edge_arseg.video.decoding.stills.tiff import TIFF

_ORIENTATION = 274
_SAID = {
    1: Orientation(),
    2: Orientation(0, mirrored=True),
    3: Orientation(2),
    4: Orientation(2, mirrored=True),
    5: Orientation(1, mirrored=True),
    6: Orientation(3),
    7: Orientation(3, mirrored=True),
    8: Orientation(1),
}
"""What EXIF's numbers say."""


def orientation_of_still(decoder: str, data: bytes) -> Orientation | None:
    """What the EXIF data of a PNG, a WebP or a TIFF says; ``None`` where it is silent, and of other kinds.

    FFmpeg reads that of JPEG, and of these only from 8.1 on.

    Args:
        decoder: FFmpeg's name of it.
        data: of the file.
    """
    exif = KINDS.get(decoder)
    numbers = tag_numbers(io.BytesIO(exif(data)), _ORIENTATION) if exif is not None else []
    return _SAID.get(int(numbers[-1][0])) if numbers and numbers[-1] else None


def _exif_of_png(data: bytes) -> bytes:
    place = 8
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] == b"eXIf":
            return data[place + 8 : place + 8 + length]
        place += 12 + length
    return b""


def _exif_of_webp(data: bytes) -> bytes:
    place = 12
    while place + 8 <= len(data):
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        if data[place : place + 4] == b"EXIF":
            return data[place + 8 : place + 8 + length].removeprefix(b"Exif\0\0")
        place += 8 + length + length % 2
    return b""


KINDS: dict[str, Callable[[bytes], bytes]] = {"png": _exif_of_png, "webp": _exif_of_webp, TIFF: bytes}
"""FFmpeg's decoders, and where EXIF data lies in their files; a TIFF has the same tags itself."""
