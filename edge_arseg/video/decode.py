"""Pictures out of anything that FFmpeg opens."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import av

from edge_arseg.errors import SourceError
from edge_arseg.video.codec_vectors import made_by_x264, unfit_stream
from edge_arseg.video.faults import source_error, source_faults
from edge_arseg.video.uri import Source, SourceKind


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        frame: as PyAV gives it, of the coded size.
        time_s: presentation time in seconds; ``None`` where the stream does not say.
        damaged: the decoder reported corruption in it, or lost what came just before it.
    """

    frame: av.VideoFrame
    time_s: float | None
    damaged: bool = False


class PictureSource(Protocol):
    """Where pictures come from.

    Attributes:
        rate: frames a second, if known.
        frame_count: as the container declares, if it does.
        unfit: why the stream's own vectors cannot be chained; ``None`` where they can, and are exported.
        made_by_x264: the stream carries the signature of that encoder.
    """

    rate: float | None
    frame_count: int | None
    unfit: str | None
    made_by_x264: bool

    def pictures(self) -> Iterator[Picture]:
        """The pictures in display order; raises ``SourceError`` on a fault."""

    def close(self) -> None:
        """Let go of files and devices; safe to call twice."""


class Decoder:
    """Decodes the best video stream of a file, camera or network stream.

    Damage inside the stream does not end it: what cannot be decoded is left out and the next picture is marked as
    damaged. Damage at its very end does: the pictures before it are delivered first, then ``SourceError`` is raised.

    Args:
        source: what to open.
        options: for FFmpeg's demuxer, e.g. ``{"rtsp_transport": "udp"}``.
        timeout_s: to open, and to wait for the next data.
        own_vectors: export the stream's vectors if they can be chained.

    Raises:
        SourceError: it cannot be opened, has no video, or has no picture to decode.
    """

    def __init__(
        self,
        source: Source,
        *,
        options: Mapping[str, str] | None = None,
        timeout_s: tuple[float, float] = (10.0, 5.0),
        own_vectors: bool = True,
    ) -> None:
        self._uri, self._live = source.label, source.live
        location, container_format, defaults = _location(source)
        with source_faults(self._uri):
            self._container = av.open(
                location,
                format=container_format,
                options={**defaults, **(options or {})},
                timeout=timeout_s,
                metadata_errors="replace",  # old recorders wrote titles in Latin-1
            )
        try:
            with source_faults(self._uri):
                self._start(own_vectors)
        except BaseException:
            self.close()
            raise

    def _start(self, own_vectors: bool) -> None:
        stream = self._container.streams.best("video")
        if stream is None:
            kinds = ", ".join(sorted({stream.type for stream in self._container.streams})) or "nothing"
            raise SourceError(f"{self._uri}: no video in it, only {kinds}; expected a video stream")
        context = cast(av.VideoCodecContext, stream.codec_context)
        if context is None:
            raise SourceError(f"{self._uri}: FFmpeg has no decoder for its video; convert it to H.264 first")
        self._stream = stream
        self.rate = float(stream.average_rate) if stream.average_rate else None
        self.frame_count = stream.frames or None
        self._packets = self._container.demux(stream)
        self._first = next(self._packets, None)
        if self._first is None or not self._first.size:
            raise SourceError(f"{self._uri}: its video stream is empty; expected at least one frame")
        self.made_by_x264 = made_by_x264(self._first)
        self.unfit = unfit_stream(context)
        if own_vectors and self.unfit is None:
            context.options = {"flags2": "+export_mvs"}  # works only before the first picture is decoded
        # One thread: with slice threads the H.264 decoder neither conceals nor reports damage, and frame threads hold
        # pictures back and lose the last ones when the stream ends in damage.
        context.thread_type = "NONE"

    def pictures(self) -> Iterator[Picture]:
        """The pictures in display order; see the class for what happens on damage."""
        lost: av.error.FFmpegError | None = None
        packet = self._first
        count = 0
        while packet is not None:
            try:
                frames = cast(list[av.VideoFrame], packet.decode())
            except av.error.EOFError:
                break
            except av.error.FFmpegError as fault:
                frames, lost = [], fault
            after_loss = lost is not None
            # A flush (no data) brings pictures from before the damage: they do not show that it is over.
            if frames and packet.size:
                lost = None
            for frame in frames:
                yield Picture(frame, frame.time, after_loss or frame.is_corrupt)
                after_loss = False
                count += 1
            with source_faults(self._uri):
                packet = next(self._packets, None)
        if lost is not None and not self._live:
            raise SourceError(f"{self._uri}: ends in damage after {self._told(count)}; the file is cut off or broken")
        if count == 0:
            raise source_error(self._uri, lost) if lost else SourceError(f"{self._uri}: not one frame can be decoded")

    def _told(self, count: int) -> str:
        return f"{count} of {self.frame_count} frames" if self.frame_count else f"{count} frames"

    def close(self) -> None:
        """Close the file, device or connection; safe to call twice."""
        self._container.close()


def _location(source: Source) -> tuple[str, str | None, dict[str, str]]:
    """What ``av.open`` needs: location, format, options."""
    if source.kind is SourceKind.DEVICE:
        return source.location, "v4l2", dict(source.query)
    if source.location.startswith(("rtsp://", "rtsps://")):
        return source.location, None, {"rtsp_transport": "tcp"}
    return source.address, None, source.address_options
