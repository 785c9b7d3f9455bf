"""What every sink does."""

import atexit
import logging
import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import ClassVar
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import SinkError
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.storage.fault import advice_on

_log = logging.getLogger(__name__)

CLOSE_S = 5.0
"""How long a sink of a live source may take for a result at the end of its run, what it has taken so far counted."""

_UNCLOSED: "WeakSet[Sink]" = WeakSet()
"""Sinks that are finished at the end of the program, if nobody closes them."""


@contextmanager
def sink_errors(target: str, *, option: str = "") -> Iterator[None]:
    """Turn errors of the operating system and of FFmpeg into ``SinkError``; the only border of the sinks.

    Args:
        target: what is written, as it is shown.
        option: that names another place, such as ``-o``.
    """
    try:
        yield
    except SinkError:
        raise
    except Exception as error:
        from av.error import FFmpegError  # sinks are planned before a library for videos is needed

        if not isinstance(error, OSError | FFmpegError):
            raise
        advice = advice_on(error, _place_of(target), option=option)
        raise SinkError(f"cannot write {target}: {advice}") from error


def _place_of(target: str) -> str | None:
    """Return the file or folder that a sink writes; ``None`` for streams and the standard output."""
    scheme, mark, rest = target.partition("://")
    place = rest if scheme in ("masks", "jsonl", "raw", "hls") else None if mark else target
    return None if place == "-" else place


def _fault_of_picture(picture: NDArray[np.uint8], result: SegmentedFrame) -> str:
    """Why a picture cannot be drawn on; empty where it can."""
    placement = result.frame.placement
    rows, columns = result.class_map.shape if placement is None else placement.source
    if picture.dtype == np.uint8 and picture.shape == (rows, columns, 3):
        return ""
    return f"{picture.dtype} {'x'.join(map(str, picture.shape))}, expected uint8 {rows}x{columns}x3, as its class map"


class Sink(ABC):
    """Takes results one by one.

    A sink is a context manager; leaving it, also by an exception, finishes what was written. One of ``open_sink`` that
    nobody closes is finished when it is dropped or the program ends, with a warning. After an error the sink stays
    closed. ``write`` reads the result's arrays before it returns and keeps none of them.

    Attributes:
        target: what is written, as the user wrote it.
        finished: nobody reads any more (a closed pipe): further results are ignored, the caller may stop.
        draws: it needs ``result.frame.picture``; of the class. Without such a sink a run makes no pictures.
        busy: a result would have to wait now.
        dropped: results of a live source that it had no time for.
    """

    draws: ClassVar[bool] = False
    _opened_by: int | None = None
    _has_results = False

    def __init__(self, target: str) -> None:
        self.target = target
        self.finished = False
        self._closed = self._failed = False
        self._left_out = 0

    @property
    def busy(self) -> bool:
        """See the class."""
        return False

    @property
    def dropped(self) -> int:
        """See the class."""
        return self._left_out

    def offer(self, result: SegmentedFrame) -> None:
        """Write one result of a source that does not wait, or drop and count it where the sink is busy.

        Raises:
            SinkError: see ``write``.
        """
        if self.busy:
            self._left_out += 1
        else:
            self.write(result)

    def write(self, result: SegmentedFrame) -> None:
        """Write one result.

        Raises:
            SinkError: it cannot be written, or the sink is closed.
        """
        if self._closed:
            raise SinkError(f"cannot write {self.target}: it is closed already; open it again")
        class_map, frame, picture = result.class_map, result.frame, result.frame.picture
        if class_map.dtype != np.uint8 or class_map.ndim != 2:
            shape = "x".join(map(str, class_map.shape))
            raise SinkError(
                f"cannot write {self.target}: the class map is {class_map.dtype} {shape}, expected uint8 HxW"
            )
        if not math.isfinite(frame.time_s):
            raise SinkError(
                f"cannot write {self.target}: frame {frame.index} has the time {frame.time_s}, expected seconds"
            )
        if self.draws and picture is not None and (fault := _fault_of_picture(picture, result)):
            raise SinkError(f"cannot write {self.target}: the picture of frame {frame.index} is {fault}")
        if self.finished:
            return
        self._has_results = True
        try:
            with sink_errors(self.target):
                self._write(result)
        except SinkError:
            self._closed = self._failed = True
            self._abandon()
            raise

    def close(self) -> None:
        """Finish what was written; calling it again does nothing.

        Raises:
            SinkError: it cannot be finished.
        """
        if self._failed:  # a folder that it made is empty only now, if a sink that is closed before this one used it
            self._failed = False
            self._abandon()
        if self._closed:
            return
        self._closed = True
        with sink_errors(self.target):
            self._close()

    def __del__(self) -> None:
        self._finish_unclosed()

    def __enter__(self) -> "Sink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def _write(self, result: SegmentedFrame) -> None:
        """Write one result, whose class map is ``[H, W] uint8``; may raise ``OSError`` or an FFmpeg error."""

    def _close(self) -> None:  # noqa: B027 - most sinks have nothing to finish
        """Finish; may raise ``OSError`` or an FFmpeg error."""

    def _finish_unclosed(self) -> None:
        if self._opened_by is None or self._closed or not self._has_results:
            return
        if self._opened_by != os.getpid():  # a copy in a forked process
            return
        _log.warning("%s was not closed, and is finished now; write: with open_sink(...) as sink", self.target)
        try:
            self.close()
        except Exception as error:
            _log.warning("%s", error)

    def _give_up(self, left: int) -> None:
        """Say that the last results are not written, and count them."""
        self._left_out += left
        _log.warning("%s: nobody takes what is written; gave up after %.0f s", self.target, CLOSE_S)

    def _abandon(self) -> None:  # noqa: B027
        """Let go of files after an error, and once more when the sink is closed; raises nothing."""


def finish_unclosed(sink: Sink) -> None:
    """Finish what was written to a sink when it is dropped or the program ends, with a warning, if nobody closes it."""
    sink._opened_by = os.getpid()
    _UNCLOSED.add(sink)


def _finish_all_unclosed() -> None:
    for sink in list(_UNCLOSED):
        sink._finish_unclosed()


atexit.register(_finish_all_unclosed)
