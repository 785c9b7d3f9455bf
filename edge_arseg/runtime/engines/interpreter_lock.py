"""The interpreter's lock, on whose handing over threads wait."""

import threading
import time

EVERY_S = 1.0

_taking: threading.Thread | None = None


def keep_it_moving() -> None:
    """Take the lock once a second from now on, in a thread, for as long as the process lives; once for all callers.

    CPython lets a thread that was asked for the lock wait until another one has taken it, without a limit of time
    (``drop_gil``). It waits on a condition variable, and those of glibc before 2.41 may lose a wake-up (its bug 25847).
    Runs were seen that stood still in their first frame: the reader and the loop where they give the lock away, and the
    thread that had opened the engines gone. Whoever takes the lock wakes them again.
    """
    global _taking
    if _taking is None or not _taking.is_alive():  # it does not live on in a process that was forked
        _taking = threading.Thread(target=_take, name="interpreter lock", daemon=True)
        _taking.start()


def _take() -> None:
    while True:
        time.sleep(EVERY_S)  # gives the lock away, and takes it again
