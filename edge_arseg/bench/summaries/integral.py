"""Energy over a stretch of time, from readings of power or of a counter: trapezoids, on a monotonic clock."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST_GAP_S = 1.0
"""Between two readings that count. In a longer gap the sensor was away: nothing is known of the power there."""
SLOWEST_GAP_S = 2.5
"""The same of a sensor that answers about once a second, as meters do: one reading may be missing."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Energy counted up along the readings of one channel.

    Attributes:
        times: ``[N]`` seconds, rising, of readings that are numbers.
        joules: ``[N]`` since the first; in gaps it stands still.
        known: ``[N]`` seconds since the first that were no gap.
    """

    times: NDArray[np.float64]
    joules: NDArray[np.float64]
    known: NDArray[np.float64]

    def between(self, start: float, end: float) -> tuple[float, float]:
        """Return the joules from ``start`` to ``end``, and the seconds of it in which the sensor answered."""
        if len(self.times) < 2:
            return 0.0, 0.0
        low, high = np.clip((start, end), self.times[0], self.times[-1])
        joules, known = (
            np.interp(high, self.times, column) - np.interp(low, self.times, column)
            for column in (self.joules, self.known)
        )
        return float(joules), float(known)

    def of_intervals(self, starts: NDArray[np.float64], ends: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the joules of many stretches; ``nan`` where a stretch is not wholly known."""
        if len(self.times) < 2:
            return np.full(len(starts), np.nan)
        joules, known = (
            np.interp(ends, self.times, column) - np.interp(starts, self.times, column)
            for column in (self.joules, self.known)
        )
        return np.where(known >= 0.999 * (ends - starts), joules, np.nan)


def trace_of(times: NDArray[np.float64], values: NDArray[np.float64], quantity: str) -> Trace:
    """Return the trace of a channel.

    Between two readings power is a straight line, so a stretch that begins between them gets its part of the trapezoid
    by interpolation of the energy: exact for constant power, and within a reading's length for any other.

    Args:
        times, values: of its readings; those that are no finite number count as not there.
        quantity: ``power`` (W) or ``energy`` (J, counted up).
    """
    good = np.isfinite(values)
    times, values = times[good], values[good]
    steps = np.diff(times)
    joules = np.diff(values) if quantity == "energy" else 0.5 * (values[1:] + values[:-1]) * steps
    counts = (steps > 0) & (steps <= _longest_gap(steps))
    if quantity == "energy":  # a counter that falls began anew, and nobody knows when
        counts &= joules >= 0
    return Trace(
        times,
        np.concatenate(([0.0], np.cumsum(np.where(counts, joules, 0.0))))[: len(times)],
        np.concatenate(([0.0], np.cumsum(np.where(counts, steps, 0.0))))[: len(times)],
    )


def _longest_gap(steps: NDArray[np.float64]) -> float:
    usual = float(np.median(steps)) if len(steps) else 0.0
    return max(LONGEST_GAP_S, min(SLOWEST_GAP_S, SLOWEST_GAP_S * usual))


def total_trace(traces: list[Trace]) -> Trace | None:
    """Return the sum of the traces that make a total, at the times of all; known where all are; ``None`` of none."""
    if not traces or any(len(trace.times) < 2 for trace in traces):
        return None
    if len(traces) == 1:
        return traces[0]
    times = np.unique(np.concatenate([trace.times for trace in traces]))
    joules, known = np.zeros(len(times) - 1), np.full(len(times) - 1, np.inf)
    for trace in traces:
        joules += np.diff(np.interp(times, trace.times, trace.joules))
        known = np.minimum(known, np.diff(np.interp(times, trace.times, trace.known)))
    joules[known <= 0] = 0.0  # where one is away, the others alone are no total
    return Trace(times, *(np.concatenate(([0.0], np.cumsum(column))) for column in (joules, known)))
