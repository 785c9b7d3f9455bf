"""One source that is open: its pictures, and what makes frames of them."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import Frame, MotionSource
from edge_arseg.video.decoding.picture import Picture, PictureSource
from edge_arseg.video.frames import FrameMaker, Step
from edge_arseg.video.uri import Source


class FrameSource:
    """What every way of delivering frames has in common: they own one of these, and may iterate over it themselves.

    Args:
        source: that was opened.
        pictures: of it.
        maker: of frames; it has seen the first picture.
        coming: the first picture, and those behind it.
        connect: opens the source again.

    Attributes:
        source: as above.
        height, width: of every frame, pixels.
        output_size: rows and columns of the first frame's output.
        rate: frames a second, if known.
        frame_count: number of frames that the container declares, if it does; ``None`` for a live source.
        orientation: of the first picture as stored.
    """

    def __init__(
        self,
        source: Source,
        pictures: PictureSource,
        maker: FrameMaker,
        coming: Iterator[Picture],
        *,
        connect: Callable[[], PictureSource],
    ) -> None:
        self.source = source
        self.height, self.width = maker.height, maker.width
        self.output_size = maker.output_size
        self.rate, self.frame_count = pictures.rate, None if source.live else pictures.frame_count
        self.orientation = maker.orientation
        self._pictures, self._maker, self._coming, self._connect = pictures, maker, coming, connect

    @property
    def motion(self) -> tuple[MotionSource, str]:
        """Where the vectors come from now, and why."""
        return self._maker.vectors.source, self._maker.vectors.reason

    def steps(self) -> Iterator[Step]:
        """The pictures that are left, followed but not turned into RGB; raises ``SourceError`` on a fault."""
        while True:
            start = time.thread_time_ns()
            try:
                step = self._maker.step(next(self._coming))
            except StopIteration:
                return
            yield self._timed(step, start)

    def frame(self, step: Step, missed: Sequence[NDArray[np.void] | None] = ()) -> Frame:
        """Turn a picture that was followed into a frame; ``missed`` as ``Frame`` has it."""
        return self._maker.frame(step, tuple(missed))

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        start = time.thread_time_ns()
        frame = self.frame(self._maker.step(next(self._coming)))
        return replace(frame, cpu_ms=self._cpu_ms(start))

    def _timed(self, step: Step, start: int) -> Step:
        return replace(step, rest=replace(step.rest, cpu_ms=self._cpu_ms(start)))

    def _cpu_ms(self, start: int) -> dict[str, float]:
        recode = self._maker.vectors.recode_cpu_ms
        return {"read": (time.thread_time_ns() - start) / 1e6 - recode, "recode": recode}

    def open_again(self, pictures: PictureSource | None = None) -> None:
        """Connect anew, after ``close``; the next frame has no vectors, and the times continue.

        Args:
            pictures: what is connected already.
        """
        self._pictures = pictures or self._connect()
        self._maker.restart(self._pictures)
        self._coming = self._pictures.pictures()

    def interrupt(self) -> None:
        """End a read that waits, where the source can; called from another thread than the one that reads."""
        getattr(self._pictures, "interrupt", lambda: None)()

    def close(self) -> None:
        """Let go of the source; the iteration ends. Safe to call twice."""
        self._coming = iter(())
        self._pictures.close()
