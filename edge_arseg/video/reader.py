"""Frames with motion out of any source."""

import math
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from os import PathLike
from types import TracebackType
from typing import Any, Protocol, cast

from edge_arseg.arguments import check_kind, is_number, named, refusal_of
from edge_arseg.errors import OptionError
from edge_arseg.spec.frame import Frame, MotionSource
from edge_arseg.spec.geometry.placement import SOURCE, FitKind, OutputSize
from edge_arseg.video.decoding.notices import notice
from edge_arseg.video.decoding.picture import Picture, PictureSource
from edge_arseg.video.decoding.whole_packets import CARRIERS, WholePackets
from edge_arseg.video.delivery.opening import opened_aside, opened_in_time, opened_now
from edge_arseg.video.delivery.options import AS_EVER, AUTO, BLOCK, LiveOptions
from edge_arseg.video.delivery.room import NewestRoom, OrderedRoom
from edge_arseg.video.frame_source import FrameSource
from edge_arseg.video.frames import FrameMaker
from edge_arseg.video.pieces.span import Span
from edge_arseg.video.presence import refuse_missing
from edge_arseg.video.sources.kinds import KINDS, Recorder, SourceKind, Wishes
from edge_arseg.video.sources.live import Live, Steps
from edge_arseg.video.sources.paced import Endless, Paced, own_gap
from edge_arseg.video.sources.read_ahead import ReadAhead
from edge_arseg.video.uri import Source, source_from_uri
from edge_arseg.video.vectors.source import MOTIONS

SHORTEST_OPENING_S = 1.0
"""Seconds that a stream is given to open, however little patience there is: its pictures have to be found out first."""

MOST_AHEAD = 256
"""Frames that are read ahead at most; their arrays are all in memory."""

_MISSED = 5
"""Frame periods for which a camera may send nothing."""

_PIECES = "edge_arseg.video.pieces.decoder:pictures_of_span"


class Delivery(Protocol):
    """When frames are read: as they are asked for (``FrameSource``), ahead of that, or as they arrive."""

    def __next__(self) -> Frame:
        """The next frame; raises ``SourceError`` on a fault."""

    def close(self) -> None:
        """Let go of the source; safe to call twice."""


class VideoReader:
    """Iterates over the frames of a source, once. Made by ``open_video``; use it in a ``with`` block.

    One that is dropped without ``close`` lets go of its source, and its thread ends soon.

    Attributes:
        uri: for messages: ``Source.label``, without a login.
        live: frames arrive at their own pace; those that are not asked for in time are dropped (``Frame.missed``).
        height: of every frame, pixels.
        width: of every frame, pixels.
        output_size: rows and columns of ``Frame.picture`` and ``SegmentedFrame.at_source()`` of the first frame.
        rate: frames a second, on average, if the source says; frames carry their own times.
        frame_count: number of frames that the container declares, if it does; an estimate.
        rotation: of the first picture as stored, degrees counter-clockwise, in quarters; frames are delivered upright.
        mirrored: left and right of the first picture changed places before it was turned.
    """

    def __init__(self, source: FrameSource, delivery: Delivery) -> None:
        self.uri, self.live = source.source.label, source.source.live
        self.height, self.width = source.height, source.width
        self.output_size = source.output_size
        self.rate, self.frame_count = source.rate, source.frame_count
        self.rotation, self.mirrored = 90 * source.orientation.turns, source.orientation.mirrored
        self._source, self._delivery = source, delivery
        if isinstance(delivery, ReadAhead | Live):
            weakref.finalize(self, delivery.let_go)  # its thread would read on for a reader that nobody has any more

    @property
    def motion_source(self) -> MotionSource:
        """Where the vectors come from now; each frame says it too."""
        return self._source.motion[0]

    @property
    def motion_reason(self) -> str:
        """Why they come from there, in one line."""
        return self._source.motion[1]

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        return next(self._delivery)

    def close(self) -> None:
        """Let go of the source; the iteration ends. Safe to call twice."""
        self._delivery.close()

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_video(
    uri: str | PathLike[str],
    *,
    motion: str = "auto",
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    options: Mapping[str, str] | None = None,
    timeout_s: tuple[float, float] = (10.0, 5.0),
    retry_s: float = 30.0,
    recode_scale: float = 1.0,
    ahead: int | None = None,
    stream: int | None = None,
    fit: FitKind | str = FitKind.STRETCH,
    output_size: OutputSize = SOURCE,
    picture: bool = False,
    pace: float | None = None,
    live: LiveOptions = AS_EVER,
    tape: Recorder | None = None,
    span: Span | None = None,
    anew_at_intra: bool = False,
) -> VideoReader:
    """Open a source of frames.

    What a broken source does: what cannot be opened or decoded at all raises ``SourceError`` here. After damage
    inside a stream frames are marked as damaged. A file that ends in damage gives its sound frames, then
    ``SourceError``. Lost packets leave frames out; the next frame is marked as damaged where the container counts its
    packets (MPEG-TS). Recoded vectors still lead from each frame to the one before it.

    Args:
        uri: see ``source_from_uri``.
        motion: ``auto``, ``codec``, ``recode`` or ``zero``; see ``VectorSource``.
        size: ``(height, width)`` of the frames to deliver, upright; ``None``: as coded.
        rate: frames a second, for images, which have no clock.
        options: for FFmpeg's demuxer.
        timeout_s: seconds to open, and to wait for data, on a stream or server; where ``live`` has less patience, it is
            given up sooner.
        retry_s: a live source that stops is opened again for this long before ``SourceError`` is raised, where ``live``
            does not say.
        recode_scale: recode at this share of the size; 0.5 takes a third of the time, and finds coarser motion.
        ahead: reuse the arrays of frames, and read so many frames ahead in a thread; 0: no thread. A frame's ``rgb``
            and ``picture`` are then overwritten once the next frame has been asked for. ``None``: no thread, and every
            frame has arrays of its own. A live source has a thread of its own anyway, which drops what is not asked for
            in time.
        stream: index of the video stream, counted over all streams of a container, as ffprobe does; ``None``: the
            largest that is no cover.
        fit: how a picture of another shape than ``size`` enters the frame: ``stretch``, ``letterbox`` or ``crop``.
        output_size: of results: ``source``, the size of each picture; ``model``, the frame as it is; or ``(height,
            width)``, to which a picture of another shape is stretched.
        picture: make ``Frame.picture``, in the output size. It costs a conversion to RGB at this size.
        pace: frames a second at which the frames of a file come, as from a camera: those that are not asked for in time
            are dropped, and the file begins again at its end. ``None``, and for a live source: no pace but its own.
        live: how late frames of a live source may be, and how long it is waited for.
        tape: keeps what a camera or stream sends, for ``replay://``: a ``TapeWriter``.
        span: the piece of a file to read; ``None``: all of it.
        anew_at_intra: begin recoding anew at every intra frame of the stream, so that what is found from there on does
            not depend on what was before. The intra frame gets no recoded vectors then.

    Raises:
        SourceError: the source cannot be read, or it has no motion of the kind asked for.
        OptionError: a value is out of range.
    """
    source = source_from_uri(uri)
    _check_arguments(motion, rate, options, timeout_s, retry_s, live)
    fit = _check(source, ahead=ahead, pace=pace, fit=fit, stream=stream, tape=tape)
    # RTSP is opened twice, over TCP and over UDP.
    patience_s, stuck_s = live.patience_s(retry_s), 2 * timeout_s[0] + timeout_s[1]
    to_open_s = min(timeout_s[0], max(live.patience_s(math.inf), SHORTEST_OPENING_S))
    wishes = Wishes(rate, options, (to_open_s, timeout_s[1]), motion in ("auto", "codec"), stream, tape, span)
    connect = partial(_connected, source, _as_live(wishes, source, live))
    if not source.live:
        opened_source = opened_now(source.label, connect)
    elif live.wait:
        opened_source = opened_in_time(source.label, connect, patience_s, stuck_s)
    else:
        opened_source = opened_aside(source.label, connect, patience_s + stuck_s)
    pictures, first, coming = opened_source
    try:
        maker = FrameMaker(
            source.label,
            pictures,
            first,
            motion=motion,
            size=size,
            recode_scale=recode_scale,
            live=source.live or source.kind == SourceKind.REPLAY,
            leap_s=getattr(pictures, "leap_s", math.inf),
            fit=fit,
            output_size=output_size,
            picture=picture,
            first_index=0 if span is None else span.index,
            anew_at_intra=anew_at_intra,
            buffers=0 if ahead is None else 1 if source.live or pace or live.realtime or not ahead else ahead + 2,
        )
        opened = FrameSource(source, pictures, maker, _after(first, coming), connect=connect)
        if source.kind == SourceKind.REPLAY:
            from edge_arseg.video.tape.replay import Replayed, TapeDecoder

            return VideoReader(opened, Replayed(opened, cast(TapeDecoder, pictures), source.query))
        steps = _steps_by_the_clock(opened, pace, live)
        if steps is not None:
            age_s = None if live.max_age_ms is None else live.max_age_ms / 1e3
            taken = _nobody if tape is None else tape.taken
            room = OrderedRoom() if live.on_late == BLOCK else NewestRoom(source.label, age_s)
            stuck_s += _MISSED / opened.rate if opened.rate else 0.0  # a slow camera may miss some frames
            return VideoReader(opened, Live(steps, room, retry_s=patience_s, stuck_s=stuck_s, taken=taken))
        return VideoReader(opened, ReadAhead(opened, ahead=ahead) if ahead else opened)
    except BaseException:
        pictures.close()
        raise


def _check_arguments(motion: object, rate: Any, options: object, timeout_s: Any, retry_s: object, live: object) -> None:
    """Refuse what is of another kind; others refuse what is out of range."""
    check_kind("motion", motion, str, f"one of {', '.join(MOTIONS)}")
    check_kind("live", live, LiveOptions, "LiveOptions(...)")
    if rate is not None and not (is_number(rate, 0) and 0 < rate < math.inf):
        raise refusal_of("a rate of", rate, "frames a second, a number above 0")
    if options is not None:
        check_kind("options", options, Mapping, "a dictionary for FFmpeg, such as {'probesize': '32'}")
    if not isinstance(timeout_s, tuple | list) or len(timeout_s) != 2 or not all(is_number(s, 0) for s in timeout_s):
        raise refusal_of("timeout_s", timeout_s, "two numbers of seconds, to open and to wait for data: (10.0, 5.0)")
    if not is_number(retry_s, 0):
        raise refusal_of("retry_s", retry_s, "seconds, 0 or more")


def _check(
    source: Source,
    *,
    ahead: int | None,
    pace: float | None,
    fit: FitKind | str,
    stream: int | None,
    tape: Recorder | None,
) -> FitKind:
    if ahead is not None and not is_number(ahead, 0, MOST_AHEAD, whole=True):
        raise OptionError(f"{ahead!r} frames read ahead: expected a whole number from 0 to {MOST_AHEAD}")
    if pace is not None and (not is_number(pace, 0) or pace in (0, math.inf)):
        raise OptionError(f"a pace of {pace!r} frames a second: expected a number above 0")
    fit = named(FitKind, fit, "fit")
    if source.path is not None:
        refuse_missing(source)
    kind = KINDS[source.kind]
    if stream is not None and not kind.streams:
        raise OptionError(f"{source.label}: stream {stream} was asked for, but only containers have streams")
    if tape is not None and not (kind.live and kind.streams):
        raise OptionError(f"{source.label}: only what cameras and streams send is recorded; a file is there already")
    return fit


def _as_live(wishes: Wishes, source: Source, live: LiveOptions) -> Wishes:
    if source.location.startswith(("rtsp://", "rtsps://")) and live.rtsp_transport != AUTO:
        wishes = replace(wishes, transport={"rtsp_transport": live.rtsp_transport})
    return replace(wishes, whole=_whole_packets(source)) if live.low_latency else wishes


def _connected(source: Source, wishes: Wishes) -> PictureSource:
    module, _, function = (KINDS[source.kind].pictures if wishes.span is None else _PIECES).partition(":")
    pictures: PictureSource = getattr(import_module(module), function)(source, wishes)
    return pictures


def _steps_by_the_clock(opened: FrameSource, pace: float | None, live: LiveOptions) -> Steps | None:
    """Where frames arrive instead of being asked for."""
    if opened.source.live:
        return opened
    if pace:
        return Endless(opened, pace)
    return Paced(opened, own_gap) if live.realtime else None


def _whole_packets(source: Source) -> WholePackets | None:
    if source.kind == SourceKind.STREAM and source.location.partition(":")[0] in CARRIERS:
        return WholePackets(source.label)
    kinds = ", ".join(f"{scheme}://" for scheme in CARRIERS)
    notice(f"{source.label}: read without low latency, which is for MPEG-TS ({kinds}) alone")
    return None


def _nobody(_index: int) -> None:
    """What is told which frames are taken, where nothing is recorded."""


def _after(first: Picture, coming: Iterator[Picture]) -> Iterator[Picture]:
    yield first
    yield from coming
