"""Cameras and streams: a thread reads every frame, the motion of each counts, and what breaks is opened again."""

import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import LoginError, MotionError, SourceError
from edge_arseg.spec.frame import Frame, MotionSource
from edge_arseg.storage.url import text_without_logins
from edge_arseg.video.delivery.opening import SAY_EVERY_S, still_waiting
from edge_arseg.video.delivery.room import Room
from edge_arseg.video.frames import Step
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import Source

_log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 1.0
"""Between two attempts to open a source again."""

_LOOK_S = 1.0

CLOSE_S = 1.0
"""How long ``close`` waits for a read that is under way. FFmpeg ends it in time; the thread closes the source then."""


class Steps(Protocol):
    """What a live reader reads: a ``FrameSource``, or one that is paced."""

    source: Source

    @property
    def motion(self) -> tuple[MotionSource, str]:
        """See ``FrameSource``."""

    def steps(self) -> Iterator[Step]:
        """See ``FrameSource``."""

    def frame(self, step: Step, missed: Sequence[NDArray[np.void] | None] = ()) -> Frame:
        """See ``FrameSource``."""

    def open_again(self) -> None:
        """See ``FrameSource``."""

    def interrupt(self) -> None:
        """See ``FrameSource``."""

    def close(self) -> None:
        """See ``FrameSource``."""


def _arrived(step: Step) -> Step:
    """Say when a picture came, where its source does not."""
    if step.rest.arrived_s is not None:
        return step
    return replace(step, rest=replace(step.rest, arrived_s=time.monotonic()))


class Live:
    """Delivers frames of a source that does not wait, which a thread reads: decoding never waits for inference.

    The thread follows *every* picture. Asking for a frame gives what the room holds, converted to RGB only then; the
    vectors of the pictures dropped before it come along in its ``missed``. Each frame is delivered at most once. Times
    count from the first frame.

    A live source that ends, stalls or breaks is opened again, after 0.25 s, 0.5 s, then every second, until it has been
    silent for ``retry_s``: then ``SourceError`` is raised. The first frame after the gap has no vectors, so it becomes
    a keyframe. A camera whose device is gone from the system raises at once, and so does a stream that refuses the
    login or no longer has the motion that was asked for. Nothing ends a read of a driver that hangs: who waits
    for a frame is told so in the end. A paced file ends at its end.

    Args:
        source: what to read.
        room: which pictures wait until they are asked for.
        retry_s: see above; ``math.inf``: without an end.
        stuck_s: seconds beyond these for which the thread may be in a read, or in opening the source.
        taken: called with the index of each frame that is asked for.
    """

    def __init__(
        self,
        source: Steps,
        room: Room,
        *,
        retry_s: float,
        stuck_s: float = 30.0,
        taken: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._taken = taken
        self._patience_s = retry_s + stuck_s if source.source.live else math.inf
        self._source, self._uri, self._retry_s = source, source.source.label, retry_s
        self._news = threading.Condition()
        self._room = room
        self._end: SourceError | StopIteration | None = None
        self._told_s = -math.inf  # when a line was said on what is amiss
        self._closed = threading.Event()
        self._lost: tuple[float, tuple[int, int]] | None = None  # since when, and the size of the pictures then
        self._thread = threading.Thread(target=self._follow, name=f"reader of {self._uri}", daemon=True)
        self._thread.start()

    def __next__(self) -> Frame:
        waited_s, told_s = 0.0, 0.0
        with self._news:
            while True:
                # Before the end is looked at: pictures that came before a fault are still delivered.
                waiting = None if self._closed.is_set() else self._room.take()
                if waiting is not None:
                    self._news.notify_all()
                    break
                if self._closed.is_set():
                    raise StopIteration
                if self._end is not None:
                    raise self._end
                if waited_s >= self._patience_s:
                    raise SourceError(
                        f"{self._uri}: no frame for {waited_s:.0f} s, and reading it does not come back; the driver or "
                        "the network hangs: connect the camera again"
                    )
                if waited_s - told_s >= SAY_EVERY_S and time.monotonic() - self._told_s >= SAY_EVERY_S:
                    told_s = waited_s
                    if self._source.source.live:
                        _log.warning("%s", still_waiting(self._uri, waited_s, self._patience_s))
                # Counted and not timed: a process that was stopped meanwhile has waited for no time.
                if self._news.wait(_LOOK_S):
                    waited_s = told_s = 0.0
                else:
                    waited_s += _LOOK_S
        self._taken(waiting[0].rest.index)
        return self._source.frame(*waiting)

    def close(self) -> None:
        """Stop reading; ends a read that is under way where the source can, else waits a little. Safe to call twice."""
        self.let_go()
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_S)

    def let_go(self) -> None:
        """Stop reading, and wait for nothing; may be called by any thread, the reading one too."""
        self._closed.set()
        with self._news:
            self._news.notify_all()
        self._source.interrupt()

    def _follow(self) -> None:
        try:
            heard, size = time.monotonic(), (0, 0)
            while not self._closed.is_set():
                try:
                    for step in self._source.steps():
                        if self._closed.is_set():
                            return
                        size = step.picture.height, step.picture.width
                        self._say_back(size)
                        self._take(_arrived(step))
                        heard = time.monotonic()
                    if not self._source.source.live:
                        self._finish(StopIteration())
                        return
                    fault = SourceError(f"{self._uri}: the stream ended")
                except MotionError:
                    raise
                except SourceError as error:
                    if not self._source.source.live:
                        raise
                    fault = error
                self._source.close()
                self._lost = self._lost or (heard, size)
                self._open_again(fault, heard)
        except SourceError as fault:
            self._finish(fault)
        except BaseException as bug:  # a bug must not leave the consumer waiting forever
            self._finish(SourceError(f"{self._uri}: reading failed: {text_without_logins(repr(bug))}"))
            raise
        finally:
            self._source.close()

    def _take(self, step: Step) -> None:
        with self._news:
            while self._room.full and not self._closed.is_set():
                self._news.wait()
            self._room.put(step)
            self._news.notify_all()

    def _open_again(self, fault: SourceError, heard: float) -> None:
        """Returns once the source is open again, or this reader is closed; raises when it stayed silent too long."""
        source, pause = self._source.source, 0.25
        told, told_s = "", -math.inf
        while not self._closed.is_set():
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
            kind, now = re.sub("[0-9]+", "", str(fault)), time.monotonic()
            if kind != told or now - told_s >= SAY_EVERY_S:
                told, told_s = kind, now
                self._told_s = now
                _log.warning("%s; opening it again in %.2f s", fault, pause)
            if self._closed.wait(min(pause, self._retry_s - silent_s)):
                return
            pause = min(2 * pause, LONGEST_PAUSE_S)
            try:
                self._source.open_again()
            except (LoginError, MotionError):
                raise
            except SourceError as error:
                fault = error
                self._source.close()
            else:
                return

    def _say_back(self, size: tuple[int, int]) -> None:
        """Say that the source is back, once after each outage, and what is new."""
        if self._lost is None:
            return
        (heard, before), self._lost = self._lost, None
        motion, reason = self._source.motion
        resized = "" if size == before else f"; its pictures are {size[0]}x{size[1]} now, rows x columns"
        gone_s = time.monotonic() - heard
        _log.warning(
            "%s: back after %.1f s without a frame%s; motion: %s (%s)", self._uri, gone_s, resized, motion.value, reason
        )

    def _finish(self, end: SourceError | StopIteration) -> None:
        with self._news:
            self._end = end
            self._news.notify_all()
