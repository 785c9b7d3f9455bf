"""Times of pictures that always continue, whatever the clock of the stream does."""

import math
import time
from collections import deque
from statistics import median

LIVE_LEAP_S = 5.0
"""A live stream's clock that gets further ahead of the time that passed than this, in one step, has leapt."""

_LAST_S = 1e10
_SMALLEST_S = 1e-4  # less is no step
_RATES = 0.001, 1000.0  # frames a second that are believed


class Clock:
    """Turns a stream's times into times that strictly increase.

    Where the stream's clock advances, however unevenly, its times are kept: variable frame rates and pauses are real. A
    clock that restarts, steps back or leaps is followed from its new place on, and the step across the break is one
    frame period in a file and the time that passed in a live stream. A picture without a time comes one frame period
    after the one before.

    Args:
        rate: frames a second, as the source says.
        live: times count from the first picture.
        leap_s: a longer step forward is no pause but a leap; for a live stream ``LIVE_LEAP_S`` more than what passed.
    """

    def __init__(self, rate: float | None, *, live: bool, leap_s: float = math.inf) -> None:
        self._rate = rate if rate and _RATES[0] <= rate <= _RATES[1] else 25.0
        self._live, self._leap_s = live, leap_s
        self._steps: deque[float] = deque(maxlen=15)  # the stream's last ones that were sound
        self._repeats = 0  # pictures that were said to have the time of the one before, since the last step
        self._time_s: float | None = None  # given out last
        self._stream_s = 0.0  # what the stream said then
        self._offset_s: float | None = None if live else 0.0  # None: the stream has not said a time since its start
        self._opened_anew = False
        self._came_s = 0.0  # when the last picture came, on the clock of this process

    def restart(self) -> None:
        """The stream is opened anew: the time that passed until its first picture counts."""
        self._offset_s = None
        self._opened_anew = True

    def time_s(self, stream_s: float | None, came_s: float | None = None) -> float:
        """Seconds for the next picture.

        Args:
            stream_s: what its stream says.
            came_s: when it came, seconds of ``time.monotonic``; ``None``: now.
        """
        if stream_s is not None and not math.isfinite(stream_s):
            stream_s = None
        now = time.monotonic() if came_s is None else came_s
        passed, self._came_s = now - self._came_s, now
        last = self._time_s
        if last is None:  # the first picture
            # Files may begin anywhere, even at the time of day; what no clock says would leave no digits for steps.
            current = 0.0 if self._live or stream_s is None or abs(stream_s) > _LAST_S else stream_s
            self._offset_s = None if stream_s is None else current - stream_s
        elif stream_s is None or self._offset_s is None:
            current = last + (max(passed, self._period) if self._opened_anew else self._period)
            if stream_s is not None:
                self._offset_s = current - stream_s
            elif self._offset_s is not None:
                stream_s = self._stream_s + self._period
        else:
            current = self._next(last, stream_s, passed)
        self._opened_anew = False
        self._time_s = current
        if stream_s is not None:
            self._stream_s = stream_s
        return current

    @property
    def _period(self) -> float:
        """One frame period: as the stream's last steps were, because the rate that it says is often a guess."""
        stated = 1 / self._rate
        if len(self._steps) < 3:
            return stated
        seen = median(self._steps)
        return stated if abs(seen - stated) < 0.1 * stated else seen

    def _next(self, last: float, stream_s: float, passed: float) -> float:
        step = stream_s - self._stream_s
        current = stream_s + (self._offset_s or 0.0)
        # Pictures may come a little out of order; two periods back are no such thing. A step may be as long as others
        # before it: a time lapse has nothing but long ones.
        leap_s = passed + LIVE_LEAP_S if self._live else self._leap_s
        if step <= -2 * self._period or step > max(leap_s, 100 * self._period):
            current = last + (max(passed, self._period) if self._live else self._period)
            self._offset_s = current - stream_s
            return current
        if step >= _SMALLEST_S:
            self._steps.append(step / (self._repeats + 1))  # a clock may be coarser than the pictures come
            self._repeats = 0
            if current < last + _SMALLEST_S:
                current = last + step
                self._offset_s = current - stream_s
        else:
            self._repeats += step > -_SMALLEST_S
            if current < last + _SMALLEST_S:
                current = last + self._period
        return current
