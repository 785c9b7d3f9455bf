"""The end of a process in which threads are left behind."""

import atexit
import os
import sys
import threading
from contextlib import suppress

_OWN = ("signals", "interpreter lock")
"""Names of our threads that wait in Python itself, which ends them."""


def leave_if_threads_stay(code: int) -> None:
    """End the process now if a thread is left behind in a library; else return.

    A server that does not answer, or a pipe that nobody reads, keeps a thread in FFmpeg. Where that comes back into an
    interpreter that is being taken down, the process crashes. So it is not taken down: what is registered for the end
    is called, and the system does the rest.

    Args:
        code: to exit with.
    """
    here = threading.current_thread()
    others = (thread for thread in threading.enumerate() if thread is not here and thread.name not in _OWN)
    if not any(thread.daemon for thread in others):
        return
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
