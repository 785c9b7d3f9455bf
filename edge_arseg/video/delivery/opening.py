"""Opening a source that may not be there yet, or may not answer."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from typing import NamedTuple

from edge_arseg.errors import LoginError, MotionError, SourceError, StreamError
from edge_arseg.video.decoding.picture import Picture, PictureSource
from edge_arseg.video.decoding.whole_packets import PacketsError

_log = logging.getLogger(__name__)

PAUSE_S = 1.0
"""Between two attempts."""

SAY_EVERY_S = 60.0
"""Between two lines on the same fault: a camera may be away for a day."""

_LOOK_S = 1.0


class Opened(NamedTuple):
    """A source that has given its first picture: its pictures, the first, and those behind it."""

    pictures: PictureSource
    first: Picture
    coming: Iterator[Picture]


def opened_now(label: str, connect: Callable[[], PictureSource]) -> Opened:
    """Open a source and read its first picture; again, if it is not fit for low latency.

    Raises:
        SourceError: it cannot be opened, or has no picture.
    """
    try:
        return _opened(label, connect)
    except PacketsError as fault:
        _log.warning("%s", fault)
        return _opened(label, connect)


def _opened(label: str, connect: Callable[[], PictureSource]) -> Opened:
    pictures = connect()
    try:
        coming = pictures.pictures()
        first = next(coming, None)
        if first is None:
            raise SourceError(f"{label}: no frame in it; expected at least one")
    except BaseException:
        pictures.close()
        raise
    return Opened(pictures, first, coming)


def opened_aside(label: str, connect: Callable[[], PictureSource], patience_s: float = math.inf) -> Opened:
    """As ``opened_now``, in a thread: a server may not answer for long, and the caller can be interrupted meanwhile.

    A thread that is left behind closes what it opens after all.

    Args:
        label: of the source, for messages.
        connect: opens it.
        patience_s: seconds for which the first frame is waited for: a driver that hangs, or a stream without a whole
            picture, would never come back. A line says so every minute.

    Raises:
        SourceError: it cannot be opened, has no picture, or the time is up.
    """
    answer: SimpleQueue[Opened | BaseException] = SimpleQueue()
    left, lock = threading.Event(), threading.Lock()

    def work() -> None:
        try:
            opened: Opened | BaseException = opened_now(label, connect)
        except BaseException as error:  # raised where the caller waits
            opened = error
        with lock:
            if not left.is_set():
                answer.put(opened)
            elif isinstance(opened, Opened):
                opened.pictures.close()

    threading.Thread(target=work, name=f"opening {label}", daemon=True).start()
    try:
        opened = _answer(label, answer, patience_s)
    except BaseException:
        with lock:
            left.set()
            if not answer.empty() and isinstance(late := answer.get(), Opened):
                late.pictures.close()
        raise
    if isinstance(opened, BaseException):
        raise opened
    return opened


def _answer(label: str, answer: SimpleQueue[Opened | BaseException], patience_s: float) -> Opened | BaseException:
    """Wait for what the thread found; raise ``SourceError`` where it takes too long."""
    waited_s = told_s = 0.0  # counted and not timed: a process that was stopped meanwhile has waited for no time
    while True:
        try:
            return answer.get(timeout=_LOOK_S)
        except Empty:
            waited_s += _LOOK_S
        if waited_s >= patience_s:
            raise SourceError(
                f"{label}: no frame for {waited_s:.0f} s, and opening it does not come back; the driver or the network "
                "hangs, or no whole picture comes: connect the camera again, or look at the stream with ffplay"
            )
        if waited_s - told_s >= SAY_EVERY_S:
            told_s = waited_s
            _log.warning("%s", still_waiting(label, waited_s, patience_s))


def still_waiting(label: str, waited_s: float, patience_s: float) -> str:
    """Return the line on a source that neither gives a frame nor fails.

    Args:
        label: of the source.
        waited_s: seconds without a frame.
        patience_s: seconds after which it is given up; ``math.inf``: never.
    """
    until = "" if math.isinf(patience_s) else f", for {patience_s - waited_s:.0f} s at most"
    return (
        f"{label}: no frame for {waited_s:.0f} s, and no fault; the driver or the network may hang: connect the camera "
        f"again; waiting for it{until}"
    )


def opened_in_time(
    label: str, connect: Callable[[], PictureSource], patience_s: float, stuck_s: float = math.inf
) -> Opened:
    """Open a source that may not be there yet: try again every second.

    Args:
        label: of the source, for messages.
        connect: opens it.
        patience_s: seconds to try again for; ``math.inf``: without an end.
        stuck_s: seconds beyond these for which one attempt may last.

    Raises:
        SourceError: the last fault, when the time is up; a refused login, missing motion or a missing stream at once.
    """
    start = time.monotonic()
    said = -math.inf
    while True:
        try:
            return opened_aside(label, connect, patience_s + stuck_s - (time.monotonic() - start))
        except (LoginError, MotionError, StreamError):
            raise
        except SourceError as fault:
            waited = time.monotonic() - start
            if waited + PAUSE_S > patience_s:
                raise SourceError(f"{fault} (waited for it for {waited:.0f} s)") from fault
            if time.monotonic() - said >= SAY_EVERY_S:
                said = time.monotonic()
                until = "" if math.isinf(patience_s) else f", for {patience_s - waited:.0f} s at most"
                _log.warning("%s; waiting for it%s", fault, until)
        time.sleep(PAUSE_S)
