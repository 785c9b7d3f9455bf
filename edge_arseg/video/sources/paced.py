"""A file whose frames come like those of a camera: at a fixed rate, whether anybody is ready for them or not."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import Frame
from edge_arseg.video.frame_source import FrameSource
from edge_arseg.video.frames import Step


class Paced:
    """Holds every picture back until it is due; a file that ends begins again.

    A picture that is read late, because the machine was busy, keeps the time at which it was due (``Frame.arrived_s``):
    a camera would have had it then. The time that a file takes to begin again is no camera's, and is left out.

    Args:
        source: of a file.
        rate: pictures a second.
    """

    def __init__(self, source: FrameSource, rate: float) -> None:
        self.source = source.source
        self._source, self._period_s = source, 1.0 / rate
        self._closed = threading.Event()

    def steps(self) -> Iterator[Step]:
        """The pictures, each when it is due, without an end."""
        due: float | None = None
        while not self._closed.is_set():
            began = False
            for step in self._source.steps():
                now = time.monotonic()
                # The first one of a round is due when it is there.
                due = now if due is None or not began else due + self._period_s
                began = True
                if self._closed.wait(max(due - now, 0.0)):
                    return
                yield replace(step, rest=replace(step.rest, arrived_s=due))
            if self._closed.wait(self._period_s if due is not None else 0.0):
                return
            self._source.close()
            self._source.open_again()

    def frame(self, step: Step, missed: Sequence[NDArray[np.void] | None] = ()) -> Frame:
        """See ``FrameSource``."""
        return self._source.frame(step, missed)

    def open_again(self) -> None:
        """See ``FrameSource``."""
        self._source.open_again()

    def close(self) -> None:
        """See ``FrameSource``; ends a wait."""
        self._closed.set()
        self._source.close()
