"""From a source to sinks: what ``edge-arseg run`` does.

::

    run_to_sinks("camvid-bise18.arseg", "clip.mp4", ["overlay.mp4", "jsonl://frames.jsonl"])
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from edge_arseg.arguments import check_callable, check_kind, is_number, path_from, refusal_of
from edge_arseg.errors import OptionError
from edge_arseg.motion.keyframe import Policy
from edge_arseg.runtime.choice.engine_choice import Choice, Choosable
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.live.statistics import LiveFigures, LiveStatistics
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segment import segment
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import Frame, SegmentedFrame
from edge_arseg.spec.geometry.placement import SOURCE, FitKind, OutputSize
from edge_arseg.storage.uninterrupted import closed_uninterrupted, uninterrupted
from edge_arseg.video.delivery.options import AS_EVER, BLOCK, LiveOptions
from edge_arseg.video.overlay.style import DEFAULT_STYLE, OverlayStyle
from edge_arseg.video.pieces.span import Span
from edge_arseg.video.sinks import plan_sinks
from edge_arseg.video.sinks.base import Sink
from edge_arseg.video.tape.place import check_recording
from edge_arseg.video.uri import source_from_uri

if TYPE_CHECKING:
    from edge_arseg.video.reader import VideoReader
    from edge_arseg.video.tape.writer import TapeWriter

RATE = 30.0
"""Frames per second that a sink is told of where the source does not say."""


@dataclass(frozen=True, slots=True)
class RunStart:
    """What is about to run.

    Attributes:
        choice: bundle and engines.
        label: what runs: mode, fusion and backend.
        motion: where the vectors come from, and why.
        frames: that will come, at most; ``None`` where that is not known.
    """

    choice: Choice
    label: str
    motion: str
    frames: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """What a run came to.

    Attributes:
        choice: bundle and engines.
        label: what ran: mode, fusion and backend.
        motion: where the vectors came from at the end, and why.
        frames: segmented.
        keyframes: that they were made from: all in mode ``hr``, none in mode ``lr``.
        seconds: from opening the source to closing the sinks.
        live: drops, ages and misses.
        dropped: results that a sink of a live source had no time for, by its name; those that had time are not in it.
    """

    choice: Choice
    label: str
    motion: str
    frames: int
    keyframes: int
    seconds: float
    live: LiveFigures
    dropped: Mapping[str, int] = field(default_factory=dict)

    @property
    def fps(self) -> float:
        """Frames a second, all in all: reading, segmenting, drawing and encoding."""
        return self.frames / self.seconds


def run_to_sinks(
    bundle: Choosable | Segmenter,
    source: str | PathLike[str],
    sinks: Sequence[str | PathLike[str] | Sink],
    *,
    mode: Mode | None = None,
    engines: EngineOptions | None = None,
    policy: Policy | None = None,
    motion: str = "auto",
    recode_scale: float = 1.0,
    stream: int | None = None,
    fit: FitKind | str | None = None,
    output_size: OutputSize = SOURCE,
    live: LiveOptions = AS_EVER,
    background: bool = False,
    limit: int | None = None,
    span: Span | None = None,
    segment_s: float | None = None,
    record: str | PathLike[str] | None = None,
    style: OverlayStyle = DEFAULT_STYLE,
    inputs: Iterable[str | PathLike[str]] = (),
    force: bool = False,
    begun: Callable[[RunStart], None] = lambda _: None,
    each: Callable[[SegmentedFrame], None] = lambda _: None,
    waiting: Callable[[bool], None] = lambda _: None,
    ending: Callable[[], None] = lambda: None,
) -> Run:
    """Segment a source and write every result to every sink.

    It ends with the source, after ``limit`` frames, or where nobody reads any sink any more (a closed pipe).

    A sink is given all frames of a file. Beside a live source one that is slow or dead does not hold up the others:
    what it has no time for is dropped and counted.

    Args:
        bundle, mode, engines, policy, background: see ``Segmenter``. Or one that is open: it stays so, what it was
            opened with counts, and the others are left out.
        source, motion, recode_scale, stream: see ``open_video``.
        sinks: names, see ``open_sink``; or sinks of your own, which are closed at the end. A slow one of your own holds
            up a live source too, unless it says that it is ``busy``.
        fit: how a picture of another shape enters the network; see ``Segmenter.stream``.
        output_size: of overlays and masks: ``source``, ``model`` or ``(height, width)``; see ``open_video``.
        live: how late frames of a live source may be, and how long it is waited for. With ``force-hr`` the policy is
            wrapped.
        limit: stop after this many frames.
        span: the piece of a file to read; ``None``: all of it.
        segment_s: seconds of a segment, where overlay videos are written in segments; ``None``: in one file.
        record: a new file that keeps what a camera or stream sends, for ``replay://``; see ``TapeWriter``.
        style: how overlays look.
        inputs: files that are not to be overwritten, besides the source.
        force: results that are there may be replaced.
        begun: called once, when everything is open and before the first frame.
        each: called with every result, after the sinks.
        waiting: called with ``True`` when a frame of the source is waited for, and with ``False`` when it is there.
        ending: called once where ``begun`` was, before source and sinks are closed: to finish a large file takes time.

    Raises:
        SinkError: a sink would overwrite something, or cannot be written.
        SourceError: the source cannot be read.
        BundleError, BuildError, OptionError, EnvironmentUnfitError: see ``Segmenter``.
        OptionError: a value is out of range, or no sequence of sinks.
    """
    sinks = _listed(sinks)
    with closed_uninterrupted() as closed_at_the_end:
        opened = [closed_at_the_end.enter_context(sink) for sink in sinks if isinstance(sink, Sink)]
        for name, function in (("begun", begun), ("each", each), ("waiting", waiting)):
            check_callable(name, function, "a function of one argument")
        check_callable("ending", ending, "a function without arguments")
        if limit is not None and not is_number(limit, 1, whole=True):
            raise OptionError(f"a limit of {limit!r} frames seen, expected a whole number from 1; None: all frames")
        record = None if record is None else path_from("record", record)
        if isinstance(bundle, Segmenter):
            _refuse_for_open(mode=mode, engines=engines, policy=policy, background=background or None)
        plan = plan_sinks(_names(sinks), source=source, inputs=_paths(inputs), force=force, segment_s=segment_s)
        if record is not None:
            check_recording(record, plan, force=force)
        segmenter = (
            bundle
            if isinstance(bundle, Segmenter)
            else closed_at_the_end.enter_context(
                Segmenter(bundle, mode=mode, engines=engines, policy=policy, background=background)
            )
        )
        start = time.perf_counter()
        with closed_uninterrupted() as stack:
            tape = None if record is None else stack.enter_context(_tape(record, source, force=force))
            waiting(True)
            reader = stack.enter_context(
                segmenter.open(
                    source,
                    motion=motion,
                    recode_scale=recode_scale,
                    stream=stream,
                    fit=fit,
                    output_size=output_size,
                    live=live,
                    tape=tape,
                    span=span,
                    picture=plan.draws or any(sink.draws for sink in opened),
                )
            )
            drops = (reader.live or live.realtime) and live.on_late != BLOCK
            for sink in plan.open(
                size=reader.output_size,
                rate=reader.rate or RATE,
                classes=segmenter.bundle.manifest.model.classes,
                style=style,
                live=drops,
            ):
                opened.append(stack.enter_context(sink))
            label = segmenter.as_opened.label
            total = min(filter(None, (reader.frame_count, limit)), default=None)
            stack.callback(ending)
            begun(RunStart(segmenter.choice, label, _motion(reader), total))
            statistics = LiveStatistics(live.max_age_ms)
            results = segment(_Told(reader, waiting), segmenter.as_opened, segmenter.policy_for(live))
            for number, result in enumerate(results, 1):
                with uninterrupted():  # all sinks get a frame that they have time for, or none
                    for sink in opened:
                        if drops:
                            sink.offer(result)
                        else:
                            sink.write(result)
                    statistics.add(result)
                    each(result)
                if number == limit or (opened and all(sink.finished for sink in opened)):
                    break
            used = _motion(reader)
        figures = statistics.figures
        seconds = time.perf_counter() - start
        dropped = {sink.target: sink.dropped for sink in opened if sink.dropped}
        return Run(segmenter.choice, label, used, figures.frames, figures.keyframes, seconds, figures, dropped)


def _listed(sinks: Sequence[str | PathLike[str] | Sink]) -> list[str | PathLike[str] | Sink]:
    if sinks is None or isinstance(sinks, (str, bytes, PathLike, Sink)):
        one = "" if sinks is None else repr(sinks)
        raise OptionError(f"sinks {sinks!r} seen, expected a list of them: [{one}]")
    check_kind("sinks", sinks, Iterable, "a list of names, paths and Sinks")
    listed = list(sinks)
    own = [id(sink) for sink in listed if isinstance(sink, Sink)]
    if len(set(own)) < len(own):  # it would get every result twice
        raise OptionError(f"the same Sink twice in {listed!r} seen, expected each once")
    return listed


def _refuse_for_open(**chosen: object) -> None:
    """Refuse what would not count, because the engines are open already."""
    if named := [name for name, value in chosen.items() if value is not None]:
        raise OptionError(
            f"{', '.join(named)} seen for a Segmenter that is open, which has its own; name them where it is opened: "
            "Segmenter(...)"
        )


def _paths(files: Iterable[str | PathLike[str]]) -> list[Path]:
    """The files that are not to be overwritten."""
    if isinstance(files, str | PathLike) or not isinstance(files, Iterable):  # a text is one file, not its letters
        raise refusal_of("inputs", files, "a list of paths")
    return [path_from("one of inputs", file) for file in files]


def _names(sinks: Iterable[str | PathLike[str] | Sink]) -> list[str]:
    """The sinks that are names."""
    named = [os.fspath(sink) if isinstance(sink, PathLike) else sink for sink in sinks if not isinstance(sink, Sink)]
    for name in named:
        if not isinstance(name, str):
            raise OptionError(f"sink {name!r} seen, expected a name such as 'overlay.mp4', a path, or a Sink")
    return named


def _tape(record: Path, source: str | PathLike[str], *, force: bool) -> "TapeWriter":
    from edge_arseg.video.tape.writer import TapeWriter

    return TapeWriter(record, source_from_uri(source).label, force=force)


class _Told:
    """Frames of a reader, and when they are waited for."""

    def __init__(self, reader: "VideoReader", waiting: Callable[[bool], None]) -> None:
        self._reader, self._waiting = reader, waiting

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        self._waiting(True)
        try:
            return next(self._reader)
        finally:
            self._waiting(False)


def _motion(reader: "VideoReader") -> str:
    return f"{reader.motion_source.value} ({reader.motion_reason})"
