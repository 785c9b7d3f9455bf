"""Progress on stderr: a bar with rate and ETA on a terminal, a plain line every ten seconds elsewhere."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

import click

from edge_arseg.spec.frame import SegmentedFrame

if TYPE_CHECKING:
    from rich.progress import Progress

HEARTBEAT_S = 10.0


class Meter:
    """Shows how far something is and how fast it goes; a context manager.

    Attributes:
        done: so far.
    """

    def __init__(self, total: int | None = None, *, what: str = ""):
        """``total`` is the number of frames expected, if it is known; ``what`` is going on."""
        self.done = 0
        self._total, self._what = total, what
        self._start = self._told = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> "Meter":
        if sys.stderr.isatty():
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

    def show(self, done: int, total: int | None, what: str) -> None:
        """Say what goes on, and how far it is: ``done`` of ``total``; 0 or ``None`` where the total is not known."""
        begun = what != self._what
        self.done, self._total, self._what = done, total or None, what
        now = time.monotonic()
        if self._bar is not None:
            self._bar.update(
                self._task, completed=done, total=self._total, description=what, rate=f"{self.rate:.1f} fps"
            )
        elif begun:
            self._told = now
            click.echo(f"{what} ...", err=True)
        elif now - self._told >= HEARTBEAT_S:
            self._told = now
            click.echo(self._line(), err=True)

    @property
    def rate(self) -> float:
        """Frames per second since the start."""
        return self.done / max(time.monotonic() - self._start, 1e-9)

    def _line(self) -> str:
        name = f"{self._what}: " if self._what else ""
        if not self._total:
            return f"{name}{self.done} frames, {self.rate:.1f} fps"
        left = max(self._total - self.done, 0) / max(self.rate, 1e-9)
        return f"{name}{self.done} of {self._total} frames, {self.rate:.1f} fps, {left:.0f} s to go"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


class FrameProgress(Meter):
    """Counts results and shows how fast they come.

    Attributes:
        keyframes: results at distance 0.
    """

    keyframes = 0

    def __enter__(self) -> "FrameProgress":
        super().__enter__()
        return self

    def step(self, result: SegmentedFrame) -> None:
        """Count one result."""
        self.keyframes += result.distance == 0
        self.show(self.done + 1, self._total, self._what)

    def summary(self) -> str:
        """Return one line on the whole run."""
        return f"{self.done} frames, {self.keyframes} keyframes, {self.rate:.1f} fps"
