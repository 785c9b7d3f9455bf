"""Resampling whole GOPs, because frames of one GOP are not independent of each other (bootstrap over blocks)."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.records.summary import Estimate

TIMES = 300
LEVEL = (2.5, 97.5)
"""Percentiles of what the resamples give: the 95 % interval."""


class Blocks:
    """Frames in blocks, and random draws of so many blocks with replacement, always the same ones.

    Args:
        block: ``[N]`` number of the GOP of each frame.
    """

    def __init__(self, block: NDArray[np.integer]) -> None:
        self._order = np.argsort(block, kind="stable")
        numbers, self._starts, self._lengths = np.unique(
            np.asarray(block)[self._order], return_index=True, return_counts=True
        )
        self.count = len(numbers)

    @cached_property
    def draws(self) -> list[NDArray[np.intp]]:
        """Indices of the frames of each draw."""
        random = np.random.default_rng(0)
        return [self._frames(random.integers(0, self.count, self.count)) for _ in range(TIMES)]

    def intervals(self, statistic: Callable[[NDArray[np.intp]], NDArray[np.float64]]) -> NDArray[np.float64] | None:
        """Return the interval of each value of a statistic.

        Args:
            statistic: from indices of frames to ``[K]`` values; ``nan`` where a draw has none.

        Returns:
            ``[2, K]``, low and high; ``None`` with fewer than two blocks.
        """
        if self.count < 2:
            return None
        values = np.array([statistic(draw) for draw in self.draws])
        with np.errstate(invalid="ignore"):
            empty = np.isnan(values).all(axis=0)
            values = np.where(empty, 0.0, values)
            interval = np.nanpercentile(values, LEVEL, axis=0)
        interval[:, empty] = np.nan
        return interval

    def _frames(self, chosen: NDArray[np.integer]) -> NDArray[np.intp]:
        lengths = self._lengths[chosen]
        ends = np.cumsum(lengths)
        inside = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths)
        return self._order[np.repeat(self._starts[chosen], lengths) + inside]


def estimate(value: float, interval: NDArray[np.float64] | None, column: int = 0) -> Estimate:
    """Return a value with a column of ``Blocks.intervals``."""
    if interval is None or np.isnan(interval[:, column]).any():
        return Estimate(float(value))
    return Estimate(float(value), float(interval[0, column]), float(interval[1, column]))
