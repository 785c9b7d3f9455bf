"""The outermost parts of a container, and how long each says that it is: what a cut leaves short."""

import math
import os
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

AVI, ASF, FLV, GIF, MATROSKA = "avi", "asf", "flv", "gif", "matroska"
MP4, MXF, OGG, PNG, Y4M = "mp4", "mxf", "ogg", "png", "y4m"

MOST = 100_000
"""Parts that are looked at: a long fragmented MP4 has thousands."""
_UNKNOWN_RIFF = (0, 0x7FFFFFFF, 0xFFFFFFFF)
"""Sizes that stand in an AVI until its end is written."""
_EBML, _SEGMENT, _VOID = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\xec"
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_GIF_EXTENSION, _GIF_PICTURE = 0x21, 0x2C
_BROADCAST = 1  # of an ASF's flags: nobody went back to write sizes and durations
_FLV_TAGS = (8, 9, 18)  # sound, video, what is said of them
_FLV_LENGTH = b"\0\x08duration\0"
"""Before the seconds that an FLV lasts, in what is said of it (AMF 0)."""
_MXF_KEY, _MXF_FOOTER = b"\x06\x0e\x2b\x34", b"\x02\x05\x01\x0d\x01\x02\x01\x01\x04"
FOOTER = "footer"
"""Name of a part of MXF that comes behind all pictures."""
INDEX = "moov"
"""Name of a part of MP4 that says where all others are."""
_HEADER = "header"
_BEGINNINGS = (INDEX, _HEADER, _ASF_HEADER.hex())
_PNG, _PNG_CHUNK = b"\x89PNG\r\n\x1a\n", re.compile(rb"[A-Za-z]{4}")
_FIRST_BOXES = (b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a container that the file does not hold to its end.

    Attributes:
        name: as the container names it; empty where not even that is there.
        end: byte behind it, by what it says of itself.
    """

    name: str
    end: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The outermost parts of a file.

    Attributes:
        kind: of container.
        names: of the parts that are there to their end.
        short: the one that the file ends in; ``None``: it ends where a part ends, or nothing says where it should.
        duration_s: of the video, where FFmpeg does not give what the container says.
        joined: there is a second index or header, of an MP4, ASF, FLV or APNG of which FFmpeg reads the first alone.
        end: byte behind the last part that was looked at.
    """

    kind: str
    names: frozenset[str]
    short: Part | None
    duration_s: float | None = None
    joined: bool = False
    end: int = 0


def layout_of(file: BinaryIO, size: int, most: int = MOST) -> Layout | None:
    """Read the sizes of the outermost parts of a file; ``None`` for a container that is not known here.

    The sizes are those of AVI (RIFF), ASF objects, FLV tags, EBML elements (RFC 8794), ISO boxes (ISO/IEC 14496-12),
    blocks of GIF89a, chunks of PNG, pages of Ogg (RFC 3533) and keys of MXF (SMPTE 377-1).

    Args:
        file: that can be read at any place.
        size: of it, bytes.
        most: parts that are looked at; behind them nothing is said to be short.

    Raises:
        OSError: it cannot be read.
    """
    start = _at(file, 0, 16)
    if start[:9] == b"YUV4MPEG2":
        return Layout(Y4M, frozenset(), None)
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return _walked(file, size, AVI, _riff, most)
    if start[:4] == _EBML:
        return _walked(file, size, MATROSKA, _element, most)
    if start[:6] in (b"GIF87a", b"GIF89a"):
        # Its data are in pieces of 255 bytes: to look at them is to read all of it, twice where it lies in a store.
        return _walked(file, size, GIF, _gif, most) if most >= MOST else Layout(GIF, frozenset(), None)
    if start[:3] == b"FLV":
        return _walked(file, size, FLV, _tag, most, _flv_s(_at(file, 0, 4096)))
    if start[:4] == b"OggS":
        return _walked(file, size, OGG, _page, most)
    if start[:8] == _PNG:
        return _walked(file, size, PNG, _chunk, most)
    if start[:4] == _MXF_KEY:
        return _walked(file, size, MXF, _key, most)
    if start == _ASF_HEADER:
        return _asf(file, size, most)
    if start[4:8] in _FIRST_BOXES:
        return _walked(file, size, MP4, _box, most)
    return None


_Reader = Callable[[BinaryIO, int], "tuple[str, int] | None"]
"""Gives the name and the end of the part at a place; ``None`` where nothing certain is said."""


def _walked(file: BinaryIO, size: int, kind: str, part: _Reader, most: int, duration_s: float | None = None) -> Layout:
    place = 0
    names: set[str] = set()
    joined, short = False, None
    for _ in range(most):
        found = part(file, place) if place < size else None
        if found is None:
            break
        name, place = found
        if place > size:
            short = Part(name, place)
            break
        joined = joined or (name in _BEGINNINGS and name in names)
        names.add(name)
    return Layout(kind, frozenset(names), short, duration_s, joined and "moof" not in names, place)


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    return file.read(count)


def _riff(file: BinaryIO, place: int) -> tuple[str, int] | None:
    head = _at(file, place, 8)
    length = int.from_bytes(head[4:], "little")
    if len(head) < 8 or head[:4] != b"RIFF" or length in _UNKNOWN_RIFF:
        return None
    return "RIFF", place + 8 + length


def _gif(file: BinaryIO, place: int) -> tuple[str, int] | None:
    """A block, or the header with the colours behind it. Data are in pieces, each with its length, and one of none."""
    if place == 0:
        head = _at(file, 0, 13)
        return _HEADER, 13 + (_colours(head[10]) if len(head) == 13 else 0)
    head = _at(file, place, 10)
    if head[0] == _GIF_EXTENSION:
        return "extension", _behind_pieces(file, place + 2)
    if head[0] != _GIF_PICTURE:
        return None  # the end, or what is none of a GIF
    return "picture", _behind_pieces(file, place + 11 + (_colours(head[9]) if len(head) == 10 else 0))


def _colours(flags: int) -> int:
    """Bytes of a table of colours."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _behind_pieces(file: BinaryIO, place: int) -> int:
    """Place behind the piece of no bytes; where that is not there, one behind what is."""
    file.seek(place)
    while length := file.read(1):
        place += 1 + length[0]
        if not length[0]:
            break
        file.seek(length[0], os.SEEK_CUR)
    else:
        return place + 1
    return place


def _box(file: BinaryIO, place: int) -> tuple[str, int] | None:
    head = _at(file, place, 16)
    if len(head) < 8:
        return "", place + 8
    length, name = int.from_bytes(head[:4], "big"), head[4:8]
    if length == 1 and len(head) == 16:
        length = int.from_bytes(head[8:], "big")
    if length < 8 or not (name.isascii() and name.decode("latin-1").isprintable()):
        return None  # of no length: it goes on to the end, wherever that is
    return name.decode("ascii"), place + length


def _element(file: BinaryIO, place: int) -> tuple[str, int] | None:
    head = _at(file, place, 12)
    identity = next((known for known in (_EBML, _SEGMENT, _VOID) if head.startswith(known)), b"")
    field = head[len(identity) :]
    if not identity or not field or not field[0]:
        return None
    width = 9 - field[0].bit_length()
    length = int.from_bytes(field[:width], "big") & ((1 << 7 * width) - 1)
    if len(field) < width or length == (1 << 7 * width) - 1:  # all ones: not known when it was written
        return None
    return identity.hex(), place + len(identity) + width + length


def _object(file: BinaryIO, place: int) -> tuple[str, int] | None:
    head = _at(file, place, 24)
    length = int.from_bytes(head[16:], "little")
    return None if len(head) < 24 or length < 24 else (head[:16].hex(), place + length)


def _tag(file: BinaryIO, place: int) -> tuple[str, int] | None:
    """Behind each tag, and behind the header, is the length of what was before it."""
    head = _at(file, place, 9)
    if head[:3] == b"FLV":
        return _HEADER, place + 4 + int.from_bytes(head[5:], "big")
    head = head[:4]
    if head[0] & 0x1F not in _FLV_TAGS:
        return None
    return "tag", place + 15 + (int.from_bytes(head[1:], "big") if len(head) == 4 else 0)


def _flv_s(head: bytes) -> float | None:
    """Seconds that an FLV says it lasts; ``None`` where nobody went back to write them."""
    place = head.find(_FLV_LENGTH) + len(_FLV_LENGTH)
    field = head[place : place + 8]
    seconds = struct.unpack(">d", field)[0] if place >= len(_FLV_LENGTH) and len(field) == 8 else 0.0
    return seconds if 0 < seconds < math.inf else None


def _chunk(file: BinaryIO, place: int) -> tuple[str, int] | None:
    head = _at(file, place, 8)
    if head == _PNG:
        return _HEADER, place + len(_PNG)
    if _PNG_CHUNK.fullmatch(head[4:]) is None:
        return None
    return head[4:].decode("ascii"), place + 12 + int.from_bytes(head[:4], "big")


def _page(file: BinaryIO, place: int) -> tuple[str, int] | None:
    head = _at(file, place, 27)
    if not b"OggS".startswith(head[:4]):
        return None
    pieces = file.read(head[26]) if len(head) == 27 else b""
    return "page", place + 27 + (head[26] + sum(pieces) if len(head) == 27 else 0)


def _key(file: BinaryIO, place: int) -> tuple[str, int] | None:
    """A name of 16 bytes, a length in the basic encoding rules, and so many bytes."""
    head = _at(file, place, 25)
    if not (head.startswith(_MXF_KEY) or _MXF_KEY.startswith(head)):
        return None
    if len(head) < 17:
        return "", place + 17
    width = head[16] & 0x7F if head[16] & 0x80 else 0
    if width > 8:
        return None
    length = int.from_bytes(head[17 : 17 + width], "big") if width else head[16]
    return FOOTER if head[4:7] + head[8:14] == _MXF_FOOTER else "key", place + 17 + width + length


def _asf(file: BinaryIO, size: int, most: int) -> Layout:
    """FFmpeg drops the duration of an ASF that is shorter than it says."""
    head = _at(file, 0, 1 << 16)
    place = head.find(_ASF_FILE)
    fields = head[place + 24 : place + 92] if place >= 0 else b""
    flags = int.from_bytes(fields[64:68], "little")
    if len(fields) < 68 or flags & _BROADCAST:
        return Layout(ASF, frozenset(), None)
    play_s = int.from_bytes(fields[40:48], "little") / 1e7
    preroll_s = int.from_bytes(fields[56:64], "little") / 1e3
    return _walked(file, size, ASF, _object, most, max(0.0, play_s - preroll_s))
