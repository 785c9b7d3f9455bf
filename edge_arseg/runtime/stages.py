"""Timing the stages of one frame."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class StageClock:
    """Collects the milliseconds that each stage of the current frame took.

    Stages follow one another and do not nest. A stage entered twice adds up.
    """

    def __init__(self) -> None:
        self._ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what runs inside."""
        start = time.perf_counter_ns()
        try:
            yield
        finally:
            self._ms[name] = self._ms.get(name, 0.0) + (time.perf_counter_ns() - start) / 1e6

    def take(self) -> dict[str, float]:
        """Return the stages of this frame, milliseconds by name, and begin the next."""
        taken, self._ms = self._ms, {}
        return taken
