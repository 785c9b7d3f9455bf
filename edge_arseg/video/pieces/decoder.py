"""Pictures of one piece of a video."""

from collections.abc import Iterator
from typing import Any

import av

from edge_arseg.errors import SourceError
from edge_arseg.video.decoding.decode import Decoder
from edge_arseg.video.decoding.ends.packets import Packets
from edge_arseg.video.decoding.faults import source_faults
from edge_arseg.video.decoding.metadata import ANY_ENCODING
from edge_arseg.video.decoding.orientation import orientation_from_picture
from edge_arseg.video.decoding.picture import Picture, PictureSource
from edge_arseg.video.objects.source import data_of
from edge_arseg.video.pieces.span import Span
from edge_arseg.video.sources.kinds import SourceKind, Wishes
from edge_arseg.video.uri import Source

_INTRA = 1
_BACK_S = (0.0, 2.0, 20.0, 1e6)
"""Seconds before a span to seek to, in turn: MPEG-TS has no index, and seeking there is a guess."""
_LOOKED_AT = 8
"""Packets at the beginning of a stream that are decoded to see how its pictures are held."""


def opened_container(source: Source) -> Any:
    """Open a file for its packets; foreign errors pass through."""
    if source.kind == SourceKind.OBJECT:
        return av.open(data_of(source), **ANY_ENCODING)
    return av.open(source.address, options=source.address_options, **ANY_ENCODING)


class PieceDecoder(Decoder):
    """Decodes the pictures of a span, as a decoder of the whole stream gives them.

    What the beginning of the stream says counts in every piece: its encoder, its parameters, how pictures are held.

    Args:
        source: a file.
        span: of its stream.
        own_vectors, stream: see ``Decoder``.

    Raises:
        SourceError: see ``Decoder``; or decoding cannot start where the span begins.
    """

    def __init__(self, source: Source, span: Span, *, own_vectors: bool, stream: int | None) -> None:
        self._span, self._label = span, source.label
        data = data_of(source) if source.kind == SourceKind.OBJECT else None
        super().__init__(source, own_vectors=own_vectors, stream=stream, data=data)
        self.frame_count = span.frames or None

    def _start(self, own_vectors: bool, wanted: int | None) -> None:
        super()._start(own_vectors, wanted)
        start = self._span.start
        if start is None:
            return
        self._look()
        found = (self._found(start - int(back_s / self._stream.time_base)) for back_s in _BACK_S)
        first = next((packet for packet in found if packet is not None), None)
        if first is None:
            raise self._fault("the intra frame that it begins with is not found")
        self._first = first

    def _found(self, place: int) -> Any:
        """Seek to a place, and return the first packet of the span if it lies behind it."""
        start = self._span.start
        assert start is not None
        try:
            self._container.seek(place, stream=self._stream)
        except av.error.FFmpegError:  # before the beginning, which some containers refuse
            self._container.seek(0)
        self._packets = Packets(self._container, self._stream)
        for packet in self._packets:
            if packet.size and packet.pts == start and packet.is_keyframe:
                return packet
            if packet.dts is None or packet.dts > start:
                return None
        return None

    def _look(self) -> None:
        """Learn from the beginning of the stream what is said there once."""
        packet: Any = self._first
        for _ in range(_LOOKED_AT):
            if packet is None:
                return
            if self._watch is not None and packet.size:
                self._watch.look(packet)
            for frame in packet.decode():
                self._orientation = orientation_from_picture(frame)
                return
            packet = next(self._packets, None)

    def pictures(self) -> Iterator[Picture]:
        """The pictures of the span in display order.

        Raises:
            SourceError: see ``Decoder``; or they are not those that the span names.
        """
        start, end, count = self._span.start, self._span.end, 0
        for picture in super().pictures():
            time = picture.frame.pts
            if time is None:
                raise self._fault("a picture has no time")
            if start is not None and time < start:  # it needs pictures from before the span, and belongs to them
                continue
            if end is not None and time >= end:
                break
            if count == 0 and start is not None and (int(picture.frame.pict_type) != _INTRA or picture.damaged):
                raise self._fault("it does not begin with a sound intra frame")
            count += 1
            yield picture
        if self._span.frames and count != self._span.frames:
            raise self._fault(f"{count} of {self._span.frames} frames can be decoded")

    def _fault(self, what: str) -> SourceError:
        return SourceError(f"{self._label}: the piece from frame {self._span.index} on: {what}")


def pictures_of_span(source: Source, wishes: Wishes) -> PictureSource:
    """Open a piece of a file; errors are those of ``PieceDecoder``."""
    assert wishes.span is not None
    with source_faults(source.label):
        return PieceDecoder(source, wishes.span, own_vectors=wishes.own_vectors, stream=wishes.stream)
