"""Tags of a TIFF file, of which EXIF data is one."""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

_MOST_TAGS, _MOST_PAGES = 4096, 16
_SIZES = {3: "H", 4: "I", 5: "II"}  # short, long, and rational, which is two of these


class _Entry(NamedTuple):
    tag: int
    kind: int
    length: int
    value: bytes


def places_of_tags(file: BinaryIO) -> Iterator[int]:
    """Yield where the tags of each picture of a file begin, those of the first 16 at most.

    Args:
        file: that can be read at any place; one that is no TIFF has none.

    Raises:
        OSError: it cannot be read.
    """
    order = _order(file)
    link = 4
    for _ in range(_MOST_PAGES if order else 0):
        file.seek(link)
        place = _unpacked(order, "I", file.read(4))
        if not place:
            return
        yield place
        file.seek(place)
        link = place + 2 + 12 * _unpacked(order, "H", file.read(2))


def tag_numbers(file: BinaryIO, tag: int, place: int | None = None) -> list[list[float]]:
    """Return the numbers of a tag of a picture, the first six at most, for each time that the picture has the tag.

    Args:
        file: that can be read at any place; one that is no TIFF has no tags.
        tag: its number.
        place: of the picture's tags. [default: of the first picture]

    Returns:
        Of each: no numbers where they are of a kind that is not read here, or not there.

    Raises:
        OSError: it cannot be read.
    """
    order = _order(file)
    return [_numbers(file, order, entry) for entry in _entries(file, order, place) if entry.tag == tag]


def _order(file: BinaryIO) -> str:
    """``<`` or ``>``, as ``struct`` has it; empty where it is no TIFF."""
    file.seek(0)
    return {b"II*\0": "<", b"MM\0*": ">"}.get(file.read(4), "")


def _entries(file: BinaryIO, order: str, start: int | None) -> Iterator[_Entry]:
    start = next(places_of_tags(file), None) if start is None else start
    if start is None:
        return
    file.seek(start)
    for place in range(min(_unpacked(order, "H", file.read(2)), _MOST_TAGS)):
        file.seek(start + 2 + 12 * place)
        entry = file.read(12)
        if len(entry) < 12:
            return
        yield _Entry(
            _unpacked(order, "H", entry[:2]),
            _unpacked(order, "H", entry[2:4]),
            _unpacked(order, "I", entry[4:8]),
            entry[8:],
        )


def _numbers(file: BinaryIO, order: str, entry: _Entry) -> list[float]:
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
