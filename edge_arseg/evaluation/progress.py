"""Counts the frames of an evaluation."""

from edge_arseg.spec.progress import Progress


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
