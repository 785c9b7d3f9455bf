"""A file whose frames come like those of a camera, whether anybody is ready for them or not."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import Frame, MotionSource
from edge_arseg.video.frame_source import FrameSource
from edge_arseg.video.frames import Step

Gap = Callable[[Step, Step], float]
"""Seconds from one picture, the first argument, to the one behind it."""


def own_gap(before: Step, step: Step) -> float:
    """The seconds that the file itself leaves between two pictures."""
    return step.rest.time_s - before.rest.time_s


class Paced:
    """Holds every picture back until it is due.

    A picture that is read late, because the machine was busy, keeps the time at which it was due (``Frame.arrived_s``):
    a camera would have had it then.

    Args:
        source: of a file.
        gap: seconds between two pictures.
    """

    def __init__(self, source: FrameSource, gap: Gap) -> None:
        self.source = source.source
        self._source, self._gap = source, gap
        self._closed = threading.Event()

    @property
    def motion(self) -> tuple[MotionSource, str]:
        """See ``FrameSource``."""
        return self._source.motion

    def steps(self) -> Iterator[Step]:
        """The pictures, each when it is due; the first one is due when it is there."""
        before: Step | None = None
        due = 0.0
        for step in self._source.steps():
            now = time.monotonic()
            due = now if before is None else due + self._gap(before, step)
            before = step
            if self.wait(max(due - now, 0.0)):
                return
            yield replace(step, rest=replace(step.rest, arrived_s=due))

    def wait(self, seconds: float) -> bool:
        """Wait; return whether this is closed."""
        return self._closed.wait(seconds)

    def frame(self, step: Step, missed: Sequence[NDArray[np.void] | None] = ()) -> Frame:
        """See ``FrameSource``."""
        return self._source.frame(step, missed)

    def open_again(self) -> None:
        """See ``FrameSource``."""
        self._source.open_again()

    def interrupt(self) -> None:
        """Ends a wait."""
        self._closed.set()
        self._source.interrupt()

    def close(self) -> None:
        """See ``FrameSource``; ends a wait."""
        self._closed.set()
        self._source.close()


class Endless(Paced):
    """A paced file that begins again at its end; the time that this takes is no camera's, and is left out.

    Args:
        source: of a file.
        rate: pictures a second.
    """

    def __init__(self, source: FrameSource, rate: float) -> None:
        super().__init__(source, lambda _before, _step: 1.0 / rate)
        self._period_s = 1.0 / rate

    def steps(self) -> Iterator[Step]:
        """The pictures, each when it is due, without an end."""
        while True:
            empty = True
            for step in super().steps():
                empty = False
                yield step
            if self.wait(0.0 if empty else self._period_s):
                return
            self._source.close()
            self._source.open_again()
