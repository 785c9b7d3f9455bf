"""How a child process ended, in words."""

import signal


def told_end(code: int | None) -> str:
    """Return ``with exit code 3``, ``by SIGKILL``, or ``by signal 40`` where the signal has no name.

    Args:
        code: as ``subprocess`` and ``multiprocessing`` give it: below 0 the number of a signal; ``None`` while it runs.
    """
    if code is None:
        return "without an exit code"
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal
        return f"by signal {-code}"
