"""Frames per second, over the last second or so."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

_WINDOW_S: Final = 1.0
_SHOWN_S: Final = 0.4


class Pace:
    """Counts frames as they come.

    Args:
        clock: seconds, rising.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=600)
        self._shown: float | None = None
        self._since = 0.0

    def frame(self) -> float | None:
        """Count a frame; return frames per second, renewed a few times a second; ``None`` on the first frame."""
        now = self._clock()
        self._times.append(now)
        while len(self._times) > 3 and now - self._times[1] > _WINDOW_S:
            self._times.popleft()
        past = now - self._times[0]
        if past > 0 and (self._shown is None or now - self._since >= _SHOWN_S):
            self._shown, self._since = (len(self._times) - 1) / past, now
        return self._shown
