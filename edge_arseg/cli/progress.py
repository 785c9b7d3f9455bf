"""Progress of a run on stderr: a bar with rate and ETA on a terminal, a plain line every ten seconds elsewhere."""

import sys
import time
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from edge_arseg.spec.frame import Branch
from edge_arseg.spec.result import SegmentedFrame

HEARTBEAT_S = 10.0


class FrameProgress:
    """Counts results and shows how fast they come.

    Attributes:
        frames: results so far.
        keyframes: those at distance 0.
    """

    def __init__(self, total: int | None):
        """``total`` is the expected number of frames, if it is known."""
        self.frames = 0
        self.keyframes = 0
        self._total = total
        self._start = self._told = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> "FrameProgress":
        if sys.stderr.isatty():
            self._bar = Progress(
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=self._total, rate="")
            self._bar.start()
        return self

    def step(self, result: SegmentedFrame) -> None:
        """Count one result."""
        self.frames += 1
        self.keyframes += result.distance == 0
        if self._bar is not None:
            key = " key" if result.branch is Branch.HR else ""
            self._bar.update(self._task, completed=self.frames, rate=f"{self.rate:.1f} fps{key}")
        elif (now := time.monotonic()) - self._told >= HEARTBEAT_S:
            self._told = now
            click.echo(self._line(), err=True)

    @property
    def rate(self) -> float:
        """Frames per second since the start."""
        return self.frames / max(time.monotonic() - self._start, 1e-9)

    def summary(self) -> str:
        """Return one line on the whole run."""
        return f"{self.frames} frames, {self.keyframes} keyframes, {self.rate:.1f} fps"

    def _line(self) -> str:
        if not self._total:
            return f"{self.frames} frames, {self.rate:.1f} fps"
        left = max(self._total - self.frames, 0) / max(self.rate, 1e-9)
        return f"{self.frames} of {self._total} frames, {self.rate:.1f} fps, {left:.0f} s to go"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
