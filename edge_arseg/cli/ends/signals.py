"""SIGINT, SIGTERM and SIGHUP: the first one unwinds the command, a second one ends it at once."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from edge_arseg.storage.uninterrupted import ECHO_S

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

NOTICE_S = 1.0
"""A command that has not ended by then says that another signal ends it at once."""


LOST_S = 0.02
"""After which a signal that was lost is sent again."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to end. What handles Ctrl-C handles it too.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        name = signal.Signals(self.number).name
        return "interrupted" if self.number == signal.SIGINT else f"interrupted by {name}"


class _First:
    """Handler of the signals: raises ``Interrupted`` for the first one.

    Attributes:
        sent: the next signal is this process's own: ``lost`` sent it.
    """

    def __init__(self) -> None:
        self._asked = False
        self.sent = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if not self._asked:
            self._asked = True
            raise Interrupted(number)

    def lost(self, number: int) -> None:
        """Raise once more: it was raised where Python lets no error out, in a ``__del__`` or the callback of a weakref.

        By a thread, a little later: here it would be lost again.
        """
        self._asked = False

        def send() -> None:
            self.sent = True
            signal.pthread_kill(threading.main_thread().ident or 0, number)

        timer = threading.Timer(LOST_S, send)
        timer.daemon = True
        timer.start()

    def again(self, number: int, _frame: FrameType | None) -> None:
        """End the process: a second signal came while the first was put off (``uninterrupted``)."""
        os._exit(128 + number)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise ``Interrupted`` in the main thread for the first signal; end the process at once for a second.

    A signal that the process was started to ignore (``nohup``) stays ignored. Processes that are forked meanwhile get
    the usual handlers back. A thread watches: Python runs a handler only between two of its own instructions, and
    opening an engine is one instruction that may take minutes.
    """
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)
    first = _First()
    before = {number: signal.signal(number, first) for number in heard}
    watch_before = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    owner = os.getpid()

    def child_is_usual() -> None:
        if signal.getsignal(heard[0] if heard else signal.SIGINT) is first:
            signal.set_wakeup_fd(-1)
            for number in heard:
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    def hear(told: "sys.UnraisableHookArgs") -> None:
        if isinstance(told.exc_value, Interrupted):
            first.lost(told.exc_value.number)
        else:
            unraisable_before(told)

    unraisable_before, sys.unraisablehook = sys.unraisablehook, hear
    os.register_at_fork(after_in_child=child_is_usual)
    threading.Thread(target=_watch, args=(ear, owner, first), name="signals", daemon=True).start()
    try:
        yield
    finally:
        sys.unraisablehook = unraisable_before
        signal.set_wakeup_fd(watch_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(mouth)  # ends the watch


def _watch(ear: int, owner: int, first: _First) -> None:
    """Read the numbers of signals as they come, until the other end is closed."""
    first_at: float | None = None
    timer: threading.Timer | None = None
    while numbers := os.read(ear, 1):
        number, now = numbers[0], time.monotonic()
        if number not in SIGNALS:  # of a library
            continue
        if first.sent:
            first.sent = False
            continue
        if first_at is None:
            first_at = now
            timer = threading.Timer(NOTICE_S, _say_how)
            timer.daemon = True
            timer.start()
        elif now - first_at >= ECHO_S and os.getpid() == owner:
            os._exit(128 + number)
    if timer is not None:
        timer.cancel()
    os.close(ear)


def _say_how() -> None:
    with suppress(OSError):
        os.write(2, b"ending: what is written gets finished; the same signal once more ends at once\n")
