"""A histogram that grows with what it sees, in memory that does not."""

import numpy as np

HALF = 2048
"""Bins on each side of zero. The used side is filled to more than half, so a range has over 1024 bins: 4 per level."""

CHUNK = 1 << 18
"""Values that are binned at once: what binning allocates does not depend on the size of the tensor."""


class Histogram:
    """Counts of values in ``2 * HALF`` bins of equal width, anchored at zero.

    The width is always the smallest power of two at which all values seen so far fit. When a larger value comes, pairs
    of bins are merged, which loses nothing but resolution: the result does not depend on the order of the values, and
    is the one that a single pass with the final width gives.

    Attributes:
        counts: ``[2 * HALF] int64``; bin ``i`` holds values in ``[(i - HALF) * width, (i - HALF + 1) * width)``, the
            last one also its upper edge.
        width: of a bin; 0 as long as nothing but zeros was seen.
        lowest, highest: the smallest and the largest value, exactly; ``nan`` before the first.
    """

    def __init__(self) -> None:
        self.counts = np.zeros(2 * HALF, np.int64)
        self.width = 0.0
        self.lowest = self.highest = float("nan")

    @property
    def total(self) -> int:
        """Number of values."""
        return int(self.counts.sum())

    def add(self, values: np.ndarray) -> None:
        """Count the values of an array of floats, of any shape.

        Raises:
            ValueError: a value is not finite.
        """
        if values.size == 0:
            return
        lowest, highest = float(values.min()), float(values.max())
        if not (np.isfinite(lowest) and np.isfinite(highest)):
            raise ValueError("a value that is not finite")
        self.lowest, self.highest = float(np.fmin(self.lowest, lowest)), float(np.fmax(self.highest, highest))
        self._grow(max(abs(lowest), abs(highest)))
        flat = values.reshape(-1)
        for start in range(0, flat.size, CHUNK):
            self._count(flat[start : start + CHUNK])

    def _count(self, values: np.ndarray) -> None:
        if self.width == 0.0:
            self.counts[HALF] += values.size
            return
        bins = np.floor(values.astype(np.float64) / self.width).astype(np.int64) + HALF
        self.counts += np.bincount(np.minimum(bins, 2 * HALF - 1), minlength=2 * HALF)

    def _grow(self, magnitude: float) -> None:
        """Widen the bins until ``magnitude`` fits."""
        if magnitude == 0.0 or magnitude <= HALF * self.width:
            return
        wanted = 2.0 ** np.ceil(np.log2(magnitude / HALF))
        while self.width and self.width < wanted:
            merged = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.concatenate([np.zeros(HALF // 2, np.int64), merged, np.zeros(HALF // 2, np.int64)])
            self.width *= 2.0
        self.width = max(self.width, float(wanted))
