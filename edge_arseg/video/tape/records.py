"""The file: a line that names it, then records, each with its length and a checksum.

=======  ====================================================================================================
letter   content
=======  ====================================================================================================
``C``    JSON: a stream was opened; its codec, sizes, rate, and what was found out about it
``P``    a packet: ``PACKET``, then ``new_extradata``, then the data
``T``    ``TAKEN``: the frame with this index was segmented; others were dropped
``E``    JSON: the stream ended or broke, and why
=======  ====================================================================================================

A record is ``HEAD`` (letter, length of the content), the content, and its CRC-32. Records are only appended: what a
killed process leaves can be read up to the last whole one. There is no common container that keeps arrival times,
outages and what was dropped beside the packets.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

REVISION = 1
MAGIC = b"EDGE-ARSEG TAPE "
HEAD = struct.Struct("<cI")
CHECK = struct.Struct("<I")
PACKET = struct.Struct("<dqqqiiBI")
"""Arrival (``time.monotonic``, seconds), pts, dts, duration, time base (two), flags, length of ``new_extradata``."""

TAKEN = struct.Struct("<Q")
NONE = -(1 << 63)
"""Stands for a time that the packet does not have."""

KEY, CORRUPT, DISPOSABLE, AFTER_EMPTY = 1, 2, 4, 8
"""Flags; the last one: samples of zero bytes lay before it."""

LONGEST = 1 << 28


def record(letter: bytes, content: bytes) -> bytes:
    """Return the bytes of one record."""
    return HEAD.pack(letter, len(content)) + content + CHECK.pack(zlib.crc32(content))


def first_line() -> bytes:
    """Return how a file begins."""
    return MAGIC + f"{REVISION}\n".encode()


def records(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Return letter and content of each record behind the first line, up to the last whole one."""
    while len(head := file.read(HEAD.size)) == HEAD.size:
        letter, length = HEAD.unpack(head)
        if length > LONGEST:
            return
        content, check = file.read(length), file.read(CHECK.size)
        if len(content) < length or len(check) < CHECK.size or zlib.crc32(content) != CHECK.unpack(check)[0]:
            return
        yield letter, content
