"""The inside of a process that runs tasks."""

import logging
import signal
import sys
import threading
import time
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

from edge_arseg.archive.segmenting import Place
from edge_arseg.archive.settings import Settings
from edge_arseg.errors import ArsegError
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import SegmentedFrame

STOP = None
"""Sent in place of a task: there are no more."""

_TOLD_S = 0.5
_SENDING = threading.RLock()
"""Threads of readers and sinks log too."""


def serve(pipe: Connection, settings: Settings) -> None:
    """Run tasks from a pipe until ``STOP``, or until nobody is at its other end.

    The first process hears Ctrl-C for all and ends the others by SIGTERM; that unwinds a task, so that what lies
    under hidden names goes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("SIGHUP", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_IGN if name == "SIGHUP" else _ended)
    logging.getLogger("edge_arseg").addHandler(_ToPipe(pipe))
    frames = _Frames(pipe)
    with ExitStack() as stack:
        try:
            segmenter: Segmenter = stack.enter_context(settings.open())
            _ = segmenter.pipeline  # waits until the engines have run
            _send(pipe, ("ready", None))
            place = Place(settings, lambda: segmenter, frames.add)
            while (task := _received(pipe)) is not STOP:
                outcome = task.perform(place)
                frames.tell()
                _send(pipe, ("done", outcome))
        except ArsegError as error:
            _send(pipe, ("raise", error))


def _received(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except (EOFError, ConnectionResetError):
        return STOP


def _send(pipe: Connection, message: tuple[str, Any]) -> None:
    """Tell the first process; where it is gone, what was begun is finished anyway."""
    with suppress(OSError), _SENDING:
        pipe.send(message)


_asked = 0
"""What to exit with, once a signal has asked for it."""


def _ended(number: int, _frame: FrameType | None) -> None:
    global _asked
    _asked = 128 + number
    sys.exit(_asked)


class _Frames:
    """Counts results and tells their number now and then."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._count, self._told_at = pipe, 0, time.monotonic()

    def add(self, _result: SegmentedFrame) -> None:
        if _asked:  # the signal came where nothing is passed on, in a destructor for example
            sys.exit(_asked)
        self._count += 1
        if time.monotonic() - self._told_at >= _TOLD_S:
            self.tell()

    def tell(self) -> None:
        if self._count:
            _send(self._pipe, ("frames", self._count))
        self._count, self._told_at = 0, time.monotonic()


class _ToPipe(logging.Handler):
    """Hands what the library logs to the first process."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__(logging.WARNING)
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        _send(self._pipe, ("log", (record.levelno, record.getMessage())))
