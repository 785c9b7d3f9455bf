"""What a TIFF says of its pixels and FFmpeg leaves out."""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import av

_PACKED, _COLOUR, _COEFFICIENTS, _BLACK_AND_WHITE = 259, 262, 529, 532
"""Tags: how the pixels are packed, and what their values are."""
_JPEG, _YCBCR = (6, 7), 6
_KIND, _BESIDE = 254, 1 | 4  # a tag, and its bits for a smaller copy of a picture and for a mask
_MOST_TAGS, _MOST_PAGES = 4096, 16
_SIZES = {3: "H", 4: "I", 5: "II"}  # short, long, and rational, which is two of these
_FULL, _BT709 = 2, 1  # of FFmpeg's ranges and matrices
_GREEN_OF_BT709 = 0.7152
TIFF = "tiff"
"""FFmpeg's name of the decoder."""
JPEG_IN_TIFF = (
    "a TIFF whose pixels are packed as JPEG, which this FFmpeg gives as an empty picture; convert it to PNG first"
)
MORE_PAGES = "a TIFF of several pages; the first one is taken: split it to have the others"


class _Entry(NamedTuple):
    kind: int
    length: int
    value: bytes


def is_jpeg_in_tiff(file: BinaryIO) -> bool:
    """Whether a file is a TIFF whose first picture is packed as JPEG.

    Args:
        file: that can be read at any place.

    Raises:
        OSError: it cannot be read.
    """
    order = _order(file)
    packings = [_numbers(file, order, entry) for tag, entry in _entries(file, order) if tag == _PACKED]
    return any(packing[0] in _JPEG for packing in packings if packing)


def has_more_pages(file: BinaryIO) -> bool:
    """Whether a file is a TIFF of several pages, of which FFmpeg gives the first. Previews and masks are none.

    Args:
        file: that can be read at any place.

    Raises:
        OSError: it cannot be read.
    """
    order = _order(file)
    place = _first(file, order) if order else 0
    for number in range(_MOST_PAGES):
        if not place:
            return False
        kinds = [_numbers(file, order, entry) for tag, entry in _entries(file, order, place) if tag == _KIND]
        if number and not any(kind and int(kind[0]) & _BESIDE for kind in kinds):
            return True
        file.seek(place)
        file.seek(place + 2 + 12 * _unpacked(order, "H", file.read(2)))
        place = _unpacked(order, "I", file.read(4))
    return False


def say_colours(picture: av.VideoFrame, data: bytes) -> None:
    """Let a picture of a TIFF say what its YCbCr values are; others stay as they are.

    Luma and chroma go from 0 to 255 unless the file says where black lies (TIFF 6.0, section 21). FFmpeg takes them for
    those of a video, from 16 to 235.

    Args:
        picture: as decoded.
        data: of the file.
    """
    file = io.BytesIO(data)
    order = _order(file)
    entries = dict(_entries(file, order))
    if _COLOUR not in entries or _numbers(file, order, entries[_COLOUR])[:1] != [_YCBCR] or int(picture.color_range):
        return
    ends = _numbers(file, order, entries[_BLACK_AND_WHITE]) if _BLACK_AND_WHITE in entries else [0.0]
    if not ends or ends[0] < 8:  # between black at 0 and black at 15 or 16
        picture.color_range = _FULL
    weights = _numbers(file, order, entries[_COEFFICIENTS]) if _COEFFICIENTS in entries else []
    if len(weights) == 3 and abs(weights[1] - _GREEN_OF_BT709) < 0.02:
        picture.colorspace = _BT709


def _order(file: BinaryIO) -> str:
    """``<`` or ``>``, as ``struct`` has it; empty where it is no TIFF."""
    file.seek(0)
    return {b"II*\0": "<", b"MM\0*": ">"}.get(file.read(4), "")


def _first(file: BinaryIO, order: str) -> int:
    """Place of the tags of the first picture."""
    file.seek(4)
    return _unpacked(order, "I", file.read(4))


def _entries(file: BinaryIO, order: str, start: int | None = None) -> Iterator[tuple[int, _Entry]]:
    """Yield the tags at a place; without one those of the first picture."""
    if not order:
        return
    start = _first(file, order) if start is None else start
    file.seek(start)
    for place in range(min(_unpacked(order, "H", file.read(2)), _MOST_TAGS)):
        file.seek(start + 2 + 12 * place)
        entry = file.read(12)
        if len(entry) < 12:
            return
        yield (
            _unpacked(order, "H", entry[:2]),
            _Entry(_unpacked(order, "H", entry[2:4]), _unpacked(order, "I", entry[4:8]), entry[8:]),
        )


def _numbers(file: BinaryIO, order: str, entry: _Entry) -> list[float]:
    """Return the numbers of a tag, the first six at most; none where they are of another kind or not there."""
    form = _SIZES.get(entry.kind)
    if form is None:
        return []
    form = order + form * min(entry.length, 6)
    data = entry.value
    if struct.calcsize(form) > len(data):
        file.seek(_unpacked(order, "I", data))
        data = file.read(struct.calcsize(form))
    if len(data) < struct.calcsize(form):
        return []
    found = struct.unpack_from(form, data)
    if entry.kind != 5:
        return list(found)
    return [over / under if under else 0.0 for over, under in zip(found[::2], found[1::2], strict=True)]


def _unpacked(order: str, kind: str, data: bytes) -> int:
    """A number; 0 where the file ends before it."""
    return int(struct.unpack(order + kind, data)[0]) if len(data) == struct.calcsize(kind) else 0
