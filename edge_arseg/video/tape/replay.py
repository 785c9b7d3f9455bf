"""A recording as a source: the same pictures at the same times, and the same ones dropped."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import av

from edge_arseg.errors import MotionError, SourceError
from edge_arseg.spec.frame import Frame
from edge_arseg.video.decoding.decode import Decoder
from edge_arseg.video.decoding.picture import PictureSource
from edge_arseg.video.delivery.room import NewestRoom
from edge_arseg.video.frame_source import FrameSource
from edge_arseg.video.sources.kinds import Wishes
from edge_arseg.video.tape.reader import Tape, TapedConnection
from edge_arseg.video.uri import Source

EVERY = "every"
"""Query of a URI: every frame is delivered, also those that were dropped."""


class TapeDecoder(Decoder):
    """Decodes one connection of a recording.

    Attributes:
        tape: the recording.
    """

    def __init__(self, source: Source, wishes: Wishes, tape: Tape, number: int) -> None:
        self._uri, self._live = source.label, True
        self._source, self._wishes, self.tape, self._number = source, wishes, tape, number
        self._connection = tape.connections[number]
        self._coming = tape.packets(self._connection)
        self._writer = None
        self._codec = _context(self._connection)
        first = next(self._coming, None)
        if first is None:
            raise SourceError(f"{self._uri}: its video stream is empty; expected at least one frame")
        self._first, self._arrived_s = first.packet, first.arrived_s
        self._use(self._codec, self._connection.opened, wishes.own_vectors)

    def _wait_for_packet(self) -> tuple[Any, bool]:
        taped = next(self._coming, None)
        if taped is None:
            raise SourceError(f"{self._uri}: {self._connection.fault or 'the recording ends here'}")
        self._arrived_s = taped.arrived_s
        return taped.packet, taped.after_empty

    def _decode(self, packet: Any) -> list[av.VideoFrame]:
        return self._codec.decode(packet if packet.size else None)

    @property
    def more(self) -> bool:
        """Whether there is a later connection."""
        return self._number + 1 < len(self.tape.connections)

    def again(self) -> "TapeDecoder":
        """Return the next connection."""
        return TapeDecoder(self._source, self._wishes, self.tape, self._number + 1)

    def close(self) -> None:
        """See ``PictureSource``."""
        self._coming = iter(())


def _context(connection: TapedConnection) -> Any:
    opened = connection.opened
    try:
        context: Any = av.CodecContext.create(opened["codec"], "r")
    except av.error.FFmpegError as fault:
        raise SourceError(f"FFmpeg has no decoder {opened['codec']} here; replay it where it was recorded") from fault
    if connection.extradata:
        context.extradata = connection.extradata
    context.width, context.height = opened["width"], opened["height"]
    if opened["pix_fmt"]:
        context.pix_fmt = opened["pix_fmt"]
    if opened["tag"]:
        context.codec_tag = opened["tag"]
    return context


def pictures_from_source(source: Source, wishes: Wishes) -> PictureSource:
    """Open a recording; raises ``SourceError``."""
    return TapeDecoder(source, wishes, Tape(Path(source.location), source.label), 0)


class Replayed:
    """Delivers the frames that were taken when the recording was made, with the motion of those that were dropped.

    Args:
        source: of a recording.
        pictures: its first connection.
        query: of the URI.
    """

    def __init__(self, source: FrameSource, pictures: TapeDecoder, query: Mapping[str, str]) -> None:
        self._source, self._pictures = source, pictures
        self._taken = None if query.get("frames") == EVERY else pictures.tape.taken
        self._frames = self._delivered()

    def __next__(self) -> Frame:
        return next(self._frames)

    def _delivered(self) -> Iterator[Frame]:
        room = NewestRoom(self._source.source.label, None)
        last = max(self._taken, default=-1) if self._taken is not None else None
        while True:
            try:
                for step in self._source.steps():
                    room.put(step)
                    index = step.rest.index
                    if self._taken is None or index in self._taken:
                        waiting = room.take()
                        assert waiting is not None
                        yield self._source.frame(*waiting)
                        if index == last:
                            return
            except MotionError:
                raise
            except SourceError:
                pass  # where the connection broke; the next one follows
            if not self._next_connection():
                return

    def _next_connection(self) -> bool:
        while self._pictures.more:
            self._pictures = self._pictures.again()
            try:
                self._source.open_again(self._pictures)
            except SourceError:
                continue
            return True
        return False

    def close(self) -> None:
        """See ``VideoReader``."""
        self._source.close()
        self._frames.close()  # type: ignore[attr-defined]
