"""Pictures out of anything that FFmpeg opens."""

import os
import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av

from edge_arseg.errors import SourceError
from edge_arseg.quantity import counted
from edge_arseg.spec.geometry.swapped_size import swap_meant_of_camera
from edge_arseg.video.cameras import no_camera
from edge_arseg.video.decoding.changes import ParameterWatch, SizeChange
from edge_arseg.video.decoding.damage.jpeg import PatchedJpeg
from edge_arseg.video.decoding.damage.stills import demand_whole, is_still
from edge_arseg.video.decoding.ends.ending import Ending
from edge_arseg.video.decoding.ends.losses import Gaps, Losses
from edge_arseg.video.decoding.ends.packets import Packets
from edge_arseg.video.decoding.faults import (
    ANIMATED_WEBP,
    NOTHING_DECODED,
    is_animated_webp,
    source_error,
    source_faults,
)
from edge_arseg.video.decoding.metadata import ANY_ENCODING
from edge_arseg.video.decoding.notices import notice, say_transfer
from edge_arseg.video.decoding.orientation import Orientation, orientation_from_picture
from edge_arseg.video.decoding.picture import Picture, PictureSource
from edge_arseg.video.decoding.silence import Silence
from edge_arseg.video.decoding.stills.said import said_of_still
from edge_arseg.video.decoding.streams import chosen_stream, fetch_alone
from edge_arseg.video.decoding.times.display_times import DisplayTimes, stated_rate
from edge_arseg.video.decoding.times.restart import Restart
from edge_arseg.video.decoding.whole_packets import OPTIONS, WholePackets
from edge_arseg.video.matrix import demand_matrix
from edge_arseg.video.pixel_shape import PixelShape
from edge_arseg.video.sources.kinds import Recorder, SourceKind, Wishes
from edge_arseg.video.uri import Source
from edge_arseg.video.vectors.codec import EXPORTING, made_by_x264, unfit_stream

_LEAPING = frozenset(("mpegts", "mpeg", "hls", "live_flv"))
"""Containers that are cut and joined anywhere, so that their clocks may leap."""
_INTRA = 1  # of kinds of pictures
_LEAP_S, _LONGEST_PAUSE_S = 60.0, 30 * 3600.0
_SAYS_ONCE = ("h264", "hevc")
"""What they say of their orientation with one picture holds for those behind it, which FFmpeg leaves to us."""


class Decoder:
    """Decodes the largest video stream of a file, camera or network stream; see ``chosen_stream``.

    Damage inside the stream does not end it: what cannot be decoded is left out and the next picture is marked as
    damaged. Damage at its very end does, and so does a file that was cut off (``Ending``): the pictures before it are
    delivered first, then ``SourceError`` is raised.

    Args:
        source: what to open.
        options: for FFmpeg's demuxer, e.g. ``{"rtsp_transport": "udp"}``.
        timeout_s: to open, and to wait for the next data.
        own_vectors: export the stream's vectors if they can be chained.
        stream: index of the stream to decode, counted over all streams of the container; ``None``: the largest.
        tape: keeps what comes; ``None``: nothing does.
        data: what to read instead of opening the source: an object with ``read``.
        whole: packets are taken for pictures; ``None``: FFmpeg's parser puts pictures together.

    Attributes:
        leap_s: a longer step from picture to picture is no pause but a leap of the clock.

    Raises:
        SourceError: it cannot be opened, has no video, or has no picture to decode.
        OptionError: ``stream`` is no video stream.
        PacketsError: see ``WholePackets``.
    """

    _ending: Ending | None = None

    def __init__(
        self,
        source: Source,
        *,
        options: Mapping[str, str] | None = None,
        timeout_s: tuple[float, float] = (10.0, 5.0),
        own_vectors: bool = True,
        stream: int | None = None,
        tape: Recorder | None = None,
        data: Any = None,
        whole: WholePackets | None = None,
    ) -> None:
        self._uri, self._live, self._writer = source.label, source.live, tape
        self._whole = whole
        self._silent = Silence(source, timeout_s)
        self._ending = Ending(source.path if data is None else data)
        with self._ending.opening(self._uri), source_faults(self._uri), self._silent.opening(self._uri):
            self._container = av.open(
                source.address if data is None else data,
                format="v4l2" if source.kind == SourceKind.DEVICE else None,
                options={**source.address_options, **({} if whole is None else OPTIONS), **(options or {})},
                timeout=self._silent.timeout_s,
                **ANY_ENCODING,
            )
        try:
            with self._ending.opening(self._uri), source_faults(self._uri), self._silent.opening(self._uri):
                self._start(own_vectors, stream)
        except BaseException:
            self.close()
            raise

    def _start(self, own_vectors: bool, wanted: int | None) -> None:
        streams = list(self._container.streams)
        stream = self._stream = chosen_stream(self._uri, streams, wanted)
        fetch_alone(self._container.format.name, streams, stream)
        context = cast(av.VideoCodecContext, stream.codec_context)
        if self._whole is not None:
            self._whole.check_stream(self._container.format.name, context.name)
        self._packets = Packets(self._container, stream)
        # A sample of zero bytes is a picture that the encoder left out. The decoder must not get it: it means the end.
        first = next((packet for packet in self._packets if packet.size), None)
        if first is None:
            raise SourceError(f"{self._uri}: its video stream is empty; expected at least one frame")
        if self._whole is not None:
            self._whole.look(first, context.name)
        demand_whole(self._uri, self._container.format.name, context, first)
        self._first, self._arrived_s = first, time.monotonic()
        self._restart = Restart(self._container.format.name, stream)
        ratio = stream.sample_aspect_ratio or context.sample_aspect_ratio
        facts = {
            # What a still says of its pixels is often what a scanner or a printer was set to.
            "pixel": str(ratio) if ratio and not is_still(self._container.format.name) else None,
            "rate": stated_rate(self._container.format.name, stream),
            "frame_count": stream.frames or None,
            "leap_s": _LONGEST_PAUSE_S if _LEAPING.isdisjoint(self._container.format.name.split(",")) else _LEAP_S,
            "made_by_x264": made_by_x264(first),
            "unfit": unfit_stream(context),
            "whole": self._whole is not None,
        }
        if self._writer is not None:
            self._writer.connection(stream, context, facts=facts)
            self._writer.packet(first, self._arrived_s)
        self._use(context, facts, own_vectors)

    def _use(self, context: av.VideoCodecContext, facts: Mapping[str, Any], own_vectors: bool) -> None:
        """Prepare a decoder before its first packet, with what ``_start`` found out about its stream."""
        self._context = context
        self.rate, self.frame_count, self.leap_s = facts["rate"], facts["frame_count"], facts["leap_s"]
        self.made_by_x264, self.unfit = facts["made_by_x264"], facts["unfit"]
        kind, reordered = None if self._live else self._container.format.name, bool(context.has_b_frames)
        self._times = DisplayTimes(kind, self.rate, self._first, reordered=reordered, extradata=context.extradata)
        self._losses = Losses(kind or "")
        self._shape = PixelShape(Fraction(facts["pixel"]) if facts.get("pixel") else None)
        self._gaps = Gaps(parsed=not facts.get("whole"))  # tapes of before do not say it
        self._patched = PatchedJpeg(kind or "", context)
        self._sizes = SizeChange(context)
        self._began = False  # with an intra picture
        self._orientation: Orientation | None = None
        self._watch: ParameterWatch | None = None
        # Both work only before the first picture is decoded. Without the first, columns cut off on the left are shown
        # unless they are a multiple of 64, in too wide a picture (`findings/ffmpeg_shows_columns_cut_off.sh`).
        context.options = {**context.options, "flags": "+unaligned"}
        if own_vectors and self.unfit is None:
            context.options = {**context.options, "flags2": "+export_mvs"}
            self._watch = ParameterWatch(context.name, context.extradata)
        # One thread: with slice threads the H.264 decoder neither conceals nor reports damage, and frame threads hold
        # pictures back and lose the last ones when the stream ends in damage.
        context.thread_type = "NONE"

    def pictures(self) -> Iterator[Picture]:
        """The pictures in display order; see the class for what happens on damage."""
        lost: av.error.FFmpegError | None = None
        packet, cut, gap, count = self._first, False, False, 0
        while packet is not None:
            gap = (gap or self._gaps.before(packet)) and not packet.is_keyframe
            if self._watch is not None and packet.size:
                self._watch.look(packet)
            self._times.look(packet)
            if self._ending is not None:
                self._ending.look(packet, self.rate)
            try:
                frames, refused = [*self._sizes.held_back(packet), *self._decode(packet)], False
            except av.error.EOFError:
                break
            except av.error.FFmpegError as fault:
                lost = fault
                frames = self._patched.pictures(packet)
                refused = not frames
            self._times.decoded(refused=refused)
            self._losses.look(packet, len(frames), refused=refused)
            if self._watch is not None:
                self._watch.decoded(self._context)
            after_loss = lost is not None
            # A flush (no data) brings pictures from before the damage: they do not show that it is over.
            if frames and packet.size:
                lost = None
            for frame in frames:
                if count == 0:
                    say_transfer(self._uri, frame, self._context)
                yield self._picture(frame, packet, after_loss or gap, cut)
                after_loss = gap = cut = False
                count += 1
            # An edit list hides this picture, or it is none at all; only of streams without a delay is that known.
            cut = cut or not frames
            packet, skipped = self._wait_for_packet()
            cut = cut or skipped
        if count == 0 and is_animated_webp(bytes(self._first)):
            raise SourceError(f"{self._uri}: {ANIMATED_WEBP}")
        lack = None if self._live or self._ending is None else self._ending.lack(self._container, self._stream)
        if lost is not None and self._ending is not None and self._ending.grew():
            lost = None  # the last packet was not yet whole
        if count == 0 and lack is None and lost is not None and not self._live:
            raise SourceError(f"{self._uri}: {NOTHING_DECODED}") from lost
        if (lost is not None or lack is not None or self._losses.at_end) and not self._live:
            raise SourceError(
                f"{self._uri}: ends in damage after {self._told(count)}; the file is cut off or broken"
                f"{f': {lack}' if lack else ''}{self._losses.advice}"
            )
        if count == 0:
            raise source_error(self._uri, lost) if lost else SourceError(f"{self._uri}: no frame can be decoded")
        if self._losses.count and not self._live:
            notice(f"{self._uri}: {self._losses.told}{self._losses.advice}")

    def _decode(self, packet: Any) -> list[av.VideoFrame]:
        return cast(list[av.VideoFrame], packet.decode())

    def _wait_for_packet(self) -> tuple[Any, bool]:
        """See ``_next_packet``; keeps what comes, and raises ``SourceError``."""
        try:
            with source_faults(self._uri, begun=True), self._silent.reading(self._uri):
                packet, skipped = self._next_packet()
            if self._whole is not None and packet is not None:
                self._whole.look(packet, self._context.name)
        except SourceError as fault:
            if self._writer is not None:
                self._writer.end(str(fault))
            raise
        self._arrived_s = time.monotonic()
        if self._writer is not None and packet is not None:
            self._writer.packet(packet, self._arrived_s, after_empty=skipped)
        return packet, skipped

    def _next_packet(self) -> tuple[Any, bool]:
        """The next packet with data, or the flush at the end; and whether samples of zero bytes lie before it."""
        empty, holes = None, self._packets.holes
        for packet in self._packets:
            if packet.size:
                if self._packets.holes != holes:
                    self._gaps.pass_hole()
                return self._restart.shown(packet), empty is not None
            empty = packet
        # What comes last is the flush. With it the decoder gives out the pictures that it holds back.
        return empty, False

    def _picture(self, frame: av.VideoFrame, packet: Any, after_loss: bool, cut: bool) -> Picture:
        name = self._context.name
        # The others wait for an intra picture themselves; these guess what the first pictures are made from.
        if name in EXPORTING and name != "h264" and not self._began:
            self._began = int(frame.pict_type) == _INTRA
            after_loss = after_loss or not self._began
        unfit, doubt = (None, None) if self._watch is None else (self._watch.unfit, self._watch.doubt)
        still = said_of_still(frame, name, packet)
        demand_matrix(self._uri, frame)
        if name in _SAYS_ONCE:
            self._orientation = orientation_from_picture(frame) or self._orientation
        return Picture(
            frame,
            self._times.time_s(frame),
            damaged=after_loss or frame.is_corrupt,
            cut=cut,
            unfit=unfit,
            doubt=doubt,
            orientation=still or self._orientation,
            came_s=self._arrived_s,
            pixel=self._shape.ratio(self._context, intra=int(frame.pict_type) == _INTRA),
        )

    def _told(self, count: int) -> str:
        return f"{count} of {counted(self.frame_count, 'frame')}" if self.frame_count else counted(count, "frame")

    def close(self) -> None:
        """Close the file, device or connection; safe to call twice."""
        self._container.close()


def pictures_from_source(source: Source, wishes: Wishes) -> PictureSource:
    """Open a file, camera or stream; errors are those of ``Decoder``."""
    if source.kind == SourceKind.DEVICE and not os.path.exists(source.location):  # noqa: PTH110 - never raises
        raise SourceError(no_camera(source.label, Path(source.location)))
    if source.kind == SourceKind.DEVICE and (told := swap_meant_of_camera(source.query.get("video_size", ""))):
        notice(f"{source.label}: {told}")
    return Decoder(
        source,
        options={**wishes.transport, **(wishes.options or {})},
        timeout_s=wishes.timeout_s,
        own_vectors=wishes.own_vectors,
        stream=wishes.stream,
        tape=wishes.tape,
        whole=wishes.whole if wishes.whole is not None and wishes.whole.believed else None,
    )
