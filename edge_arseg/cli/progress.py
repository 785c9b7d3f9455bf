"""Progress on stderr: a bar with rate and ETA on a terminal, a plain line every ten seconds elsewhere."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from edge_arseg.cli.log import is_quiet
from edge_arseg.cli.output import note
from edge_arseg.quantity import counted
from edge_arseg.runtime.live.statistics import LiveStatistics
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.progress import HEARTBEAT_S

if TYPE_CHECKING:
    from rich.progress import Progress


@dataclass(frozen=True, slots=True)
class Unit:
    """What a meter counts, and how it tells.

    Attributes:
        count: text of ``done`` and ``total``; ``s`` is the end of the noun, empty where there is one.
        open_count: text of ``done``, where the total is not known.
        pace: text of ``rate``, how many a second, or of ``seconds``, how long each takes.
    """

    count: str
    open_count: str
    pace: str


FRAMES = Unit("{done} of {total} frame{s}", "{done} frame{s}", "{rate:.1f} fps")
CLIPS = Unit("{done} of {total} clip{s}", "{done} clip{s}", "{rate:.1f} a second")
STEPS = Unit("step {done} of {total}", "step {done}", "{seconds:.2f} s a step")


class Meter:
    """Shows how far something is and how fast it goes; a context manager.

    Attributes:
        done: so far.
    """

    def __init__(self, total: int | None = None, *, what: str = "", unit: Unit = FRAMES):
        """``total`` is how many are expected, if it is known; ``what`` is being done; ``unit`` is what is counted."""
        self.done = 0
        self._total, self._what, self._unit = total, what, unit
        self._start = self._line_at = time.monotonic()
        self._start_done = 0
        self._detail = ""
        self._bar: Progress | None = None

    def __enter__(self) -> "Meter":
        if sys.stderr.isatty() and not is_quiet():
            # only a terminal shows a bar; elsewhere nobody waits for its import
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(self._what, total=self._total, rate="")
            self._bar.start()
        return self

    def show(self, done: int, total: int | None, what: str, *, detail: str = "") -> None:
        """Say what is being done, and how far it is.

        Another total, or fewer done than before, is another count: its pace is measured from here.

        Args:
            done: so far.
            total: in all; 0 or ``None`` where that is not known.
            what: a new one is announced.
            detail: stands behind the count.
        """
        total, now, new = total or None, time.monotonic(), what != self._what
        ends = bool(what) and done == total and (new or (done, total) != (self.done, self._total))
        if done < self.done or total != self._total:
            self._start, self._start_done = now, done
        self.done, self._total, self._what, self._detail = done, total, what, detail
        if self._bar is not None:
            self._bar.update(
                self._task, completed=done, total=total, description=", ".join(filter(None, (what, detail))),
                rate=self._pace(),
            )  # fmt: skip
        elif new and not done:
            self._say(f"{what} ...", now)
        elif new or now - self._line_at >= HEARTBEAT_S or ends:
            self._say(self._line(), now)

    def counter(self, unit: Unit) -> Callable[[int, int | None, str], None]:
        """Return a ``show`` that counts something else from then on."""

        def counted(done: int, total: int | None, what: str) -> None:
            self._unit = unit
            self.show(done, total, what)

        return counted

    @property
    def rate(self) -> float:
        """How many a second, since the start of the count."""
        return (self.done - self._start_done) / max(time.monotonic() - self._start, 1e-9)

    def _say(self, line: str, now: float) -> None:
        self._line_at = now
        note(line)

    def _pace(self) -> str:
        rate = self.rate
        return self._unit.pace.format(rate=rate, seconds=1 / rate) if rate else ""

    def _count(self) -> str:
        text, last = (self._unit.count, self._total) if self._total else (self._unit.open_count, self.done)
        return text.format(done=self.done, total=self._total, s="" if last == 1 else "s")

    def _line(self) -> str:
        left = ""
        if self._total and self.rate:
            left = f"{max(self._total - self.done, 0) / self.rate:.0f} s to go"
        name = f"{self._what}: " if self._what else ""
        return name + ", ".join(filter(None, (self._count(), self._detail, self._pace(), left)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


class FrameProgress(Meter):
    """Counts results and shows how fast they come, and how late.

    Args:
        total: results that are expected, if that is known.
        max_age_ms: results that are older are late.
    """

    def __init__(self, total: int | None = None, max_age_ms: float | None = None) -> None:
        super().__init__(total)
        self._live = LiveStatistics(max_age_ms)

    def __enter__(self) -> "FrameProgress":
        super().__enter__()
        return self

    def begun(self) -> None:
        """Hear that the first result comes next: what was done before, such as rendering, is not in the rate."""
        self._start = self._line_at = time.monotonic()

    def step(self, result: SegmentedFrame) -> None:
        """Count one result."""
        self._live.add(result)
        self.show(self.done + 1, self._total, self._what)

    def summary(self) -> str:
        """Return one line on the whole run."""
        figures = self._live.figures
        line = f"{counted(self.done, 'frame')}, {counted(figures.keyframes, 'keyframe')}, {self.rate:.1f} fps"
        return ", ".join(filter(None, (line, figures.words())))
