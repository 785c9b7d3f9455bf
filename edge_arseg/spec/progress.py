"""How work that takes a while says how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called with how much is done, how much there is in all (0 where that is not known), and what is being done now."""
Announce = Callable[[str], None]
"""Called with a line when a step begins."""

HEARTBEAT_S = 10.0
"""Seconds between two signs of life of what takes longer."""


def no_progress(done: int, total: int, what: str) -> None:
    """Say nothing."""


def no_announcement(line: str) -> None:
    """Say nothing."""


class Counter:
    """Counts frames for a ``Progress``.

    Args:
        progress: called before each frame and at the end.
        total: frames in all.
    """

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def count(self, what: str, *, frames: int = 1) -> None:
        """Count ``frames`` more, done in ``what``; 0 announces it."""
        self._done += frames
        self._progress(self._done, self._total, what)
