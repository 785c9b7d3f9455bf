"""From a plan to a record: runs take their turns while sensors are read, and everything is kept as it comes."""

import os
import random
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_arseg.bench.loops.frame_table import FrameTable
from edge_arseg.bench.loops.run_loop import RunLoop, Stretch
from edge_arseg.bench.loops.steadiness import WarmUpLimit
from edge_arseg.bench.plans.options import BenchOptions
from edge_arseg.bench.plans.plan import PlannedRun
from edge_arseg.bench.plans.profiles import Profile, profile_named
from edge_arseg.bench.records.bench_record import Notice
from edge_arseg.bench.records.journal import Journal
from edge_arseg.bench.sampling.sampling import Sampling
from edge_arseg.bench.sensors.base import text_of
from edge_arseg.errors import ArsegError
from edge_arseg.spec.progress import Progress

FRAMES_WARM_UP = 24
"""Frames of a warm-up, where frames are asked for and not seconds."""


@dataclass
class _Clockwork:
    """How far the whole measurement is, in seconds."""

    progress: Progress
    total: float
    what: str = ""
    done: float = 0.0

    def tick(self, seconds: float) -> None:
        self.done += seconds
        self.progress(round(self.done), round(self.total), self.what)


class Measuring:
    """Measures the runs of a plan that are not measured yet.

    Args:
        options: how long.
        runs: all of the plan.
        names: of the runs, for people.
        done: places of runs that need nothing any more.
        frames: journal of what is measured.
        sensors: journal file of what is read meanwhile.
        zero: ``time.monotonic()`` when the record's clock was at 0.
        root: of the file system that sensors are looked for in.
    """

    def __init__(
        self,
        options: BenchOptions,
        runs: Sequence[PlannedRun],
        names: Sequence[str],
        *,
        done: set[int],
        frames: Journal,
        sensors: Path,
        zero: float,
        root: Path = Path("/"),
    ) -> None:
        self._options, self._runs, self._names, self._done = options, runs, names, done
        self._frames, self._sensors, self._zero, self._root = frames, sensors, zero, root
        self._profile: Profile = profile_named(options.profile)

    def measure(self, first_turn: int, progress: Progress) -> None:
        """Measure; what was measured is in the journals, however this ends.

        Args:
            first_turn: number of the next turn.
            progress: called with seconds that are done, seconds in all (0 where frames are counted), and what
                is being done.

        Raises:
            ArsegError: a run cannot be measured, and there is no matrix whose other cells can.
        """
        options, profile = self._options, self._profile
        left = [number for number in range(len(self._runs)) if number not in self._done]
        timed = options.frames is None
        total = len(left) * (profile.seconds + profile.warm_up_s) if timed else 0.0
        clock = _Clockwork(progress, total)
        with ExitStack() as stack:
            sampling = None
            if options.sensors:
                sampling = stack.enter_context(Sampling(self._sensors, zero=self._zero, root=self._root))
            idle = options.meter is not None or (sampling is not None and sampling.total is not None)
            if idle:
                clock.total += 2 * profile.idle_s if timed else 0.0
                self._idle(clock)
            groups = sorted({self._runs[number].group for number in left})
            for group in groups:
                numbers = [number for number in left if self._runs[number].group == group]
                first_turn = self._group(numbers, first_turn, clock)
            if idle:
                self._idle(clock)

    def _idle(self, clock: _Clockwork) -> None:
        clock.what = "idle"
        start = time.monotonic() - self._zero
        left = self._profile.idle_s
        while left > 0:
            time.sleep(min(left, 0.5))
            clock.tick(min(left, 0.5))
            left -= 0.5
        self._frames.say(idle=[start, time.monotonic() - self._zero])

    def _group(self, numbers: Sequence[int], turn: int, clock: _Clockwork) -> int:
        """Open runs that take turns, and let them; returns the number of the next turn.

        Who is opened first gets other memory, which can move a branch by some per cent: the order is drawn.
        """
        with ExitStack() as stack:
            loops: dict[int, RunLoop] = {}
            for number in random.sample(numbers, len(numbers)):
                self._frames.say(run=number, restart=True)
                with self._left_out(number):
                    loops[number] = self._opened(number, stack, clock)
            turns = self._turns(len(loops))
            for time_round in range(turns):
                # A B, then B A: whoever comes first would otherwise be first every time
                for number in list(loops)[:: -1 if time_round % 2 else 1]:
                    clock.what = self._names[number]
                    with self._left_out(number, loops):
                        self._turn(number, loops[number], turn, (time_round, turns), clock)
                    turn += 1
            for number, loop in loops.items():
                self._frames.say(run=number, motion_used=loop.motion_used, finished=True)
        return turn

    def _opened(self, number: int, stack: ExitStack, clock: _Clockwork) -> RunLoop:
        clock.what = f"{self._names[number]}: warm-up"
        clock.tick(0.0)
        before, begun = _resident_mb(), clock.done
        loop = RunLoop(self._runs[number], number)
        stack.callback(loop.close)
        limit = WarmUpLimit(self._profile.warm_up_s, None if self._options.frames is None else FRAMES_WARM_UP)
        warm_up = loop.warm_up(limit, clock.tick)
        if clock.total:
            clock.tick(max(self._profile.warm_up_s - (clock.done - begun), 0.0))  # what it did not take
        self._frames.say(
            run=number,
            label=loop.label,
            motion_used=loop.motion_used,
            warm_up=asdict(warm_up),
            opened_mb=_resident_mb() - before if before else None,
        )
        return loop

    def _turn(self, number: int, loop: RunLoop, turn: int, place: tuple[int, int], clock: _Clockwork) -> None:
        """Let a run take its turn: the first, second, ... of so many. Together they have the frames asked for."""
        frames, (time_round, turns) = self._options.frames, place
        stretch = Stretch(
            None if frames is not None else self._profile.seconds / turns,
            None if frames is None else frames // turns + (time_round < frames % turns),
        )
        table = FrameTable(self._frames, self._zero, self._runs[number].settings.deadline_ms)
        loop.turn(turn, stretch, table, clock.tick)

    def _turns(self, runs: int) -> int:
        if self._options.turns is not None:
            return self._options.turns
        return 2 if runs > 1 and self._options.frames is None else 1

    def _left_out(self, number: int, loops: dict[int, RunLoop] | None = None) -> "_LeftOut":
        return _LeftOut(self, number, loops)

    def leave_out(self, number: int, error: ArsegError, loops: dict[int, RunLoop] | None) -> bool:
        """Whether the rest continues without a run: where there is a matrix."""
        if not self._options.matrix:
            return False
        self._frames.say(notice=asdict(Notice("failed", f"{self._names[number]}: {error}", number)))
        if loops is not None:
            loops.pop(number)
        return True


class _LeftOut:
    """Turns the failure of one run into a notice, where others can still be measured."""

    def __init__(self, measuring: Measuring, number: int, loops: dict[int, RunLoop] | None) -> None:
        self._measuring, self._number, self._loops = measuring, number, loops

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        return isinstance(error, ArsegError) and self._measuring.leave_out(self._number, error, self._loops)


def _resident_mb() -> float:
    """Resident memory of this process, 10^6 bytes; 0 where it cannot be read."""
    with suppress(IndexError, ValueError):
        return int(text_of(Path("/proc/self/statm")).split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0
