"""One run: its engines, its warm-up, its turns."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

from edge_arseg.bench.loops.frame_table import FrameTable
from edge_arseg.bench.loops.steadiness import Steadiness, WarmUpLimit
from edge_arseg.bench.loops.timed import Timed, timed_results
from edge_arseg.bench.plans.plan import PlannedRun
from edge_arseg.bench.records.run import RunSettings, WarmUp
from edge_arseg.motion.keyframe import NO_SCENE_CUT
from edge_arseg.motion.policies.naming import in_background, policy_named
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.reader import VideoReader

SETTLE_S = 2.0
"""At most, from the beginning of a turn to its first frame that counts: till the second keyframe."""

Tick = Callable[[float], None]
"""Called with the seconds that passed since the last call."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """How long a turn is: so many seconds, or so many frames."""

    seconds: float | None
    frames: int | None


class RunLoop:
    """A run with its engines open; ``close`` closes them.

    Args:
        planned: what is run.
        number: of the run in the record.

    Attributes:
        label: what runs, in the pipeline's words.
        motion_used: source of the vectors and why; empty before the first turn.

    Raises:
        ArsegError: see ``Segmenter``.
    """

    def __init__(self, planned: PlannedRun, number: int) -> None:
        settings = planned.settings
        self._settings, self._source, self._number = settings, planned.source, number
        # Keyframes come once per GOP, so that a GOP has its share of each branch.
        cut = NO_SCENE_CUT if settings.scene_cut is None else settings.scene_cut
        self._segmenter = Segmenter(
            planned.choice,
            mode=Mode(settings.mode),
            policy=policy_named(settings.keyframes, settings.interval, cut),
            background=in_background(settings.keyframes),
        )
        self.label = self._segmenter.pipeline.label
        self._motion = settings.motion if self._segmenter.pipeline.uses_motion else "zero"
        self.motion_used = ""
        self._gop = -1

    def warm_up(self, limit: WarmUpLimit, tick: Tick) -> WarmUp:
        """Run until times are steady, or the limit is reached.

        Raises:
            SourceError: the source cannot be read.
        """
        steadiness = Steadiness(_branches(self._settings))
        start = last = time.monotonic()
        first_ms, frames = 0.0, 0
        with closing(self._results()) as results:
            for timed in results:
                now = time.monotonic()
                frames += 1
                first_ms = first_ms or timed.total_ms
                steadiness.add(timed.result.branch.value, now - start, timed.total_ms)
                tick(now - last)
                last = now
                enough = limit.frames is not None and frames >= limit.frames
                if steadiness.steady or enough or now - start >= limit.seconds:
                    break
        return WarmUp(frames, time.monotonic() - start, first_ms, steadiness.steady)

    def turn(self, number: int, stretch: Stretch, table: FrameTable, tick: Tick) -> None:
        """Measure a turn. It begins at a keyframe and ends before one; a turn of frames ends when they are there.

        The first frame of a source that was opened counts nowhere: opening is part of its time.

        Raises:
            SourceError: the source cannot be read.
        """
        try:
            with closing(self._results()) as results:
                began = last = time.monotonic()
                counted, keys, start, distance = 0, 0, 0.0, 0
                for timed in results:
                    now = time.monotonic()
                    # one that was made in the background counts from a later frame on
                    key = timed.result.distance <= distance
                    distance = timed.result.distance
                    keys += key
                    if not counted and not (key and keys > 1) and now - began < SETTLE_S:
                        continue
                    start = start or now
                    over = stretch.seconds is not None and now - start >= stretch.seconds
                    if over and (key or now - start >= 1.5 * (stretch.seconds or 0)):
                        break
                    self._gop += key or not counted
                    if not timed.first:
                        counted += 1
                        table.add(self._number, number, self._gop, timed)
                    tick(now - last)
                    last = now
                    if counted == stretch.frames:
                        break
        finally:
            table.flush()

    def close(self) -> None:
        """Close the engines; calling it twice is allowed."""
        self._segmenter.close()

    def _results(self) -> Generator[Timed, None, None]:
        settings = self._settings

        def open_source() -> VideoReader:
            reader = self._segmenter.open(
                self._source,
                motion=self._motion,
                recode_scale=settings.recode_scale,
                stream=settings.stream,
                pace=settings.rate if settings.loop == "open" else None,
            )
            self.motion_used = f"{reader.motion_source.value} ({reader.motion_reason})"
            return reader

        def segment(reader: VideoReader) -> Iterator[SegmentedFrame]:
            return self._segmenter.segment(reader)

        return timed_results(open_source, segment)


def _branches(settings: RunSettings) -> tuple[str, ...]:
    if settings.mode == Mode.AR.value:
        return ("hr", "lr") if settings.interval > 1 else ("hr",)
    return (settings.mode,)
