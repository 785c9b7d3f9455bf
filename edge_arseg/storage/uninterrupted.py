"""Work that a signal must not cut in two."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What asks a command to end."""

ECHO_S = 0.5
"""A signal that comes so soon after the first is the same event: a terminal that closes sends SIGHUP twice."""


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off what the handlers of SIGINT, SIGTERM and SIGHUP do until the end of the block.

    Only handlers of Python are put off, and only in the main thread, where Python runs them. A signal whose handler is
    the system's ends the process as always. A second signal, ``ECHO_S`` later, is not put off: what its handler has as
    ``again`` is called, else the handler.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    own: dict[int, Callable[[int, FrameType | None], object]] = {
        number: handler for number, handler in handlers.items() if callable(handler)
    }
    came: list[int] = []
    first_at = 0.0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal first_at
        came.append(number)
        if len(came) == 1:
            first_at = time.monotonic()
        elif time.monotonic() - first_at >= ECHO_S:  # a block that waits must not keep the process for ever
            getattr(own[number], "again", own[number])(number, frame)

    for number in own:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)
        if came:
            own[came[0]](came[0], None)


@contextmanager
def closed_uninterrupted() -> Iterator[ExitStack]:
    """An ``ExitStack`` whose closing no signal interrupts; what the block raises is raised afterwards."""
    stack = ExitStack()
    try:
        yield stack
    except BaseException as error:
        with uninterrupted():
            if not stack.__exit__(type(error), error, error.__traceback__):
                raise
    else:
        with uninterrupted():
            stack.close()
