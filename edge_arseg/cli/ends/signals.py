"""SIGINT, SIGTERM and SIGHUP: the first one unwinds the command, a second one ends it at once."""

import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from edge_arseg.errors import ArsegError
from edge_arseg.storage.uninterrupted import ECHO_S, SIGNALS

NOTICE_S = 1.0
"""A command that has not ended by then says that another signal ends it at once."""

_LOST = 0
"""Written beside the numbers of signals: what the first one raised has gone, and nothing ended."""

_AGAIN_S = 0.05


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

    Python runs it wherever it is, and in some places nothing is passed on: in ``__del__``, in what a dictionary calls,
    in callbacks of libraries. An exception that unwinds something is alive, so one that is freed was dropped.

    Args:
        mouth: where ``_LOST`` is written then.

    Attributes:
        number: of the signal.
    """

    def __init__(self, mouth: int) -> None:
        self._asked, self._mouth = False, mouth
        self._raised: weakref.ref[Interrupted] | None = None
        self.number = 0

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if self._asked:
            return
        self._asked, self.number = True, number
        interrupted = Interrupted(number)
        self._raised = weakref.ref(interrupted, self._dropped)
        try:
            raise interrupted
        finally:
            del interrupted  # its trace holds this frame

    def _dropped(self, _gone: object) -> None:
        self._asked = False
        with suppress(OSError):
            os.write(self._mouth, bytes([_LOST]))

    def end(self) -> None:
        """Hear no more of what was raised."""
        self._raised = None

    def again(self, number: int, _frame: FrameType | None) -> None:
        """End the process: a second signal came while the first was put off (``uninterrupted``)."""
        os._exit(128 + number)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise ``Interrupted`` in the main thread for the first signal; end the process at once for a second.

    A signal that the process was started to ignore (``nohup``) stays ignored. Processes that are forked meanwhile get
    the usual handlers back. A thread watches: Python runs a handler only between two of its own instructions, and
    opening an engine is one instruction that may take minutes. It sends the first signal again where what that raised
    was dropped on its way. An error that a library made of it is ``Interrupted`` here.
    """
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)
    first = _First(mouth)
    before = {number: signal.signal(number, first) for number in heard}
    watch_before = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    owner, unraisable_before = os.getpid(), sys.unraisablehook

    def unraisable(fault: "sys.UnraisableHookArgs") -> None:
        if not isinstance(fault.exc_value, Interrupted):  # it is raised again
            unraisable_before(fault)

    def child_is_usual() -> None:
        if signal.getsignal(heard[0] if heard else signal.SIGINT) is first:
            signal.set_wakeup_fd(-1)
            for number in heard:
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    os.register_at_fork(after_in_child=child_is_usual)
    sys.unraisablehook = unraisable
    threading.Thread(target=_watch, args=(ear, owner, first), name="signals", daemon=True).start()
    try:
        yield
    except Exception as error:
        if first.number and _is_made_of_it(error):
            raise Interrupted(first.number) from error
        raise
    finally:
        first.end()
        sys.unraisablehook = unraisable_before
        signal.set_wakeup_fd(watch_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(mouth)  # ends the watch


def _is_made_of_it(error: Exception) -> bool:
    """Whether a library made this error of what a signal raised, as the start of a module in C++ does.

    An error while the command is unwound has it as its context alone, and is an error. One of ours is so in any case
    where it does not name it as its cause.
    """
    causes = list(_chain(error, "__cause__"))
    if any(isinstance(cause, Interrupted) for cause in causes):
        return True
    contexts = [context for cause in causes for context in _chain(cause, "__context__")]
    return not isinstance(error, ArsegError) and not any(isinstance(context, Interrupted) for context in contexts)


def _chain(error: BaseException | None, link: str) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = getattr(error, link)


def _watch(ear: int, owner: int, first: _First) -> None:
    """Read the numbers of signals as they come, until the other end is closed."""
    first_at: float | None = None
    timer: threading.Timer | None = None
    again = 0
    while numbers := os.read(ear, 1):
        number, now = numbers[0], time.monotonic()
        if number == _LOST and os.getpid() == owner:
            time.sleep(_AGAIN_S)  # the place where it was dropped is left by then
            again += 1
            signal.pthread_kill(threading.main_thread().ident or 0, first.number)
            continue
        if again and number == first.number:
            again -= 1
            continue
        if number not in SIGNALS:  # of a library
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
