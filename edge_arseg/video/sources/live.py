"""Cameras and streams: the newest frame wins, the motion of every frame counts, and what breaks is opened again."""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import MotionError, SourceError
from edge_arseg.spec.frame import Frame
from edge_arseg.storage.url import text_without_logins
from edge_arseg.video.frames import Step
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import Source

_log = logging.getLogger(__name__)

MISSED_LIMIT = 100
"""Vectors of at most this many dropped frames are kept; beyond that the chain is given up, and a keyframe follows."""

LONGEST_PAUSE_S = 1.0
"""Between two attempts to open a source again."""


class Steps(Protocol):
    """What a live reader reads: a ``FrameSource``, or one that is paced."""

    source: Source

    def steps(self) -> Iterator[Step]:
        """See ``FrameSource``."""

    def frame(self, step: Step, missed: Sequence[NDArray[np.void] | None] = ()) -> Frame:
        """See ``FrameSource``."""

    def open_again(self) -> None:
        """See ``FrameSource``."""

    def close(self) -> None:
        """See ``FrameSource``."""


def _arrived(step: Step) -> Step:
    """Say when a picture came, where its source does not."""
    if step.rest.arrived_s is not None:
        return step
    return replace(step, rest=replace(step.rest, arrived_s=time.monotonic()))


class Newest:
    """Delivers the newest frame of a live source, which a thread reads: decoding and motion never wait for inference.

    The thread follows *every* picture. Asking for a frame gives the newest one, converted to RGB only then; the
    vectors of the pictures dropped in between come along in its ``missed``. Each frame is delivered at most once.
    Times count from the first frame.

    A source that ends, stalls or breaks is opened again, after 0.25 s, 0.5 s, then every second, until it has been
    silent for ``retry_s``: then ``SourceError`` is raised. The first frame after the gap has no vectors, so it becomes
    a keyframe. A camera whose device is gone from the system raises at once, and so does a stream that no longer has
    the motion that was asked for.
    """

    def __init__(self, source: Steps, *, retry_s: float) -> None:
        self._source, self._uri, self._retry_s = source, source.source.label, retry_s
        self._news = threading.Condition()
        self._newest: Step | None = None
        self._missed: list[NDArray[np.void] | None] = []
        self._fault: SourceError | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"reader of {self._uri}", daemon=True)
        self._thread.start()

    def __next__(self) -> Frame:
        with self._news:
            while self._newest is None and self._fault is None and not self._closed.is_set():
                self._news.wait()
            step, missed = self._newest, tuple(self._missed)
            self._newest, self._missed = None, []
        if step is not None:
            return self._source.frame(step, missed)
        if self._fault is not None:
            raise self._fault
        raise StopIteration

    def close(self) -> None:
        """Stop reading; waits at most for the read that is under way. Safe to call twice."""
        self._closed.set()
        with self._news:
            self._news.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _follow(self) -> None:
        try:
            heard = time.monotonic()
            while not self._closed.is_set():
                try:
                    for step in self._source.steps():
                        if self._closed.is_set():
                            return
                        self._take(_arrived(step))
                        heard = time.monotonic()
                    fault = SourceError(f"{self._uri}: the stream ended")
                except MotionError:
                    raise
                except SourceError as error:
                    fault = error
                self._source.close()
                self._open_again(fault, heard)
        except SourceError as fault:
            self._give_up(fault)
        except BaseException as bug:  # a bug must not leave the consumer waiting forever
            self._give_up(SourceError(f"{self._uri}: reading failed: {text_without_logins(repr(bug))}"))
            raise
        finally:
            self._source.close()

    def _take(self, step: Step) -> None:
        with self._news:
            if self._newest is not None:
                self._missed.append(self._newest.rest.vectors)
                if len(self._missed) > MISSED_LIMIT:
                    self._missed = [None]
            self._newest = step
            self._news.notify_all()

    def _open_again(self, fault: SourceError, heard: float) -> None:
        """Returns once the source is open again, or this reader is closed; raises when it stayed silent too long."""
        source, pause = self._source.source, 0.25
        while True:
            if source.kind == SourceKind.DEVICE and not Path(source.location).exists():
                raise SourceError(
                    f"{self._uri}: the camera is gone: there is no {source.location} any more; plug it in again"
                ) from fault
            silent_s = time.monotonic() - heard
            if silent_s >= self._retry_s:
                raise SourceError(
                    f"{self._uri}: no frame for {silent_s:.0f} s, and opening it again did not help; "
                    f"last fault: {fault}"
                ) from fault
            _log.warning("%s; opening it again in %.2f s", fault, pause)
            if self._closed.wait(min(pause, self._retry_s - silent_s)):
                return
            pause = min(2 * pause, LONGEST_PAUSE_S)
            try:
                self._source.open_again()
            except MotionError:
                raise
            except SourceError as error:
                fault = error
                self._source.close()
            else:
                return

    def _give_up(self, fault: SourceError) -> None:
        with self._news:
            self._fault = fault
            self._news.notify_all()
