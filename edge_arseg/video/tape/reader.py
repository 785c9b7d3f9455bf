"""A recording, as it is read back."""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from edge_arseg.errors import SourceError
from edge_arseg.video.decoding.notices import notice
from edge_arseg.video.tape import records

DISPOSABLE = "disposable"
"""Marks a packet (``opaque``) whose flag PyAV cannot set."""


@dataclass(frozen=True, slots=True)
class TapedPacket:
    """One packet.

    Attributes:
        packet: as the demuxer gave it; of no bytes: the flush at the end of a stream.
        arrived_s: when it came.
        after_empty: samples of zero bytes lay before it.
    """

    packet: av.Packet
    arrived_s: float
    after_empty: bool


@dataclass(slots=True)
class TapedConnection:
    """From opening a stream to its end.

    Attributes:
        opened: what ``TapeWriter.connection`` kept.
        packets: in order.
        fault: why it ended; ``None``: the recording ends in it.
    """

    opened: dict[str, Any]
    packets: list[tuple[int, int]] = field(default_factory=list)
    fault: str | None = None

    @property
    def extradata(self) -> bytes:
        """What the decoder is opened with."""
        return b64decode(self.opened["extradata"])


class Tape:
    """A recording: its connections, and which frames were taken.

    Args:
        path: the file.
        label: of the source, for messages.

    Attributes:
        connections: in order, those with packets; the packets as places in the file.
        taken: indices of the frames that were segmented.

    Raises:
        SourceError: it is no recording, of another revision, or holds no packet.
    """

    def __init__(self, path: Path, label: str) -> None:
        self._path = path
        self.connections: list[TapedConnection] = []
        self.taken: set[int] = set()
        try:
            with path.open("rb") as file:
                self._check(file.readline(64), label)
                place = file.tell()
                for letter, content in records.records(file):
                    self._note(letter, content, place + records.HEAD.size)
                    place = file.tell()
                if path.stat().st_size > place:
                    notice(f"{label}: its end is torn; read up to the last whole record")
        except OSError as fault:
            raise SourceError(f"{label}: {fault.strerror or fault}; expected a file that --record made") from fault
        # A process may be killed between the opening of a stream and its first packet.
        self.connections = [connection for connection in self.connections if connection.packets]
        if not self.connections:
            raise SourceError(f"{label}: no packet in it; expected a file that --record made")

    def _check(self, line: bytes, label: str) -> None:
        if not line.startswith(records.MAGIC):
            raise SourceError(f"{label}: no recording; expected a file that --record made")
        if line != records.first_line():
            revision = line.removeprefix(records.MAGIC).decode(errors="replace").strip()
            raise SourceError(f"{label}: a recording of revision {revision}; this version reads {records.REVISION}")

    def _note(self, letter: bytes, content: bytes, place: int) -> None:
        if letter == b"C":
            self.connections.append(TapedConnection(json.loads(content)))
        elif letter == b"T":
            self.taken.add(records.TAKEN.unpack(content)[0])
        elif letter == b"P" and self.connections:
            self.connections[-1].packets.append((place, len(content)))
        elif letter == b"E" and self.connections:
            self.connections[-1].fault = json.loads(content)["fault"]

    def packets(self, connection: TapedConnection) -> Iterator[TapedPacket]:
        """The packets of one connection."""
        with self._path.open("rb") as file:
            for place, length in connection.packets:
                file.seek(place)
                yield _packet(file.read(length))


def _packet(content: bytes) -> TapedPacket:
    arrived_s, pts, dts, duration, above, below, flags, extra = records.PACKET.unpack_from(content)
    body = content[records.PACKET.size :]
    packet = av.Packet(body[extra:])
    if extra:
        side = av.packet.PacketSideData("new_extradata", extra)  # type: ignore[call-arg]
        side.update(body[:extra])
        packet.set_sidedata(side)
    if above:
        packet.time_base = Fraction(above, below)
    packet.pts, packet.dts = (None if time == records.NONE else time for time in (pts, dts))
    packet.duration = duration
    packet.is_keyframe, packet.is_corrupt = bool(flags & records.KEY), bool(flags & records.CORRUPT)
    packet.opaque = DISPOSABLE if flags & records.DISPOSABLE else None
    return TapedPacket(packet, arrived_s, bool(flags & records.AFTER_EMPTY))
