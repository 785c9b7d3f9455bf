"""Ranges of activations, from histograms of what was seen of each tensor."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edge_arseg.spec.recipe import Method, Recipe

HALF = 2048
"""Bins on each side of zero. The used side is filled to more than half, so a range has over 1024 bins: 4 per level."""

CHUNK = 1 << 18
"""Values that are binned at once: what binning allocates does not depend on the size of the tensor."""

LEVELS = 128
"""Levels of a magnitude in 8 bits, sign apart: what the entropy method squeezes a histogram into."""

STEP = 8
"""Bins between two thresholds that the entropy method tries."""


@dataclass(frozen=True, slots=True)
class Range:
    """The values that the integers of a tensor cover; ``low <= 0 <= high``."""

    low: float
    high: float

    def __or__(self, other: "Range") -> "Range":
        """The smallest range that holds both."""
        return Range(min(self.low, other.low), max(self.high, other.high))


Ranges = Mapping[str, Range]
"""Range of each tensor of a graph by the tensor's name."""


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


def range_from_histogram(histogram: Histogram, recipe: Recipe) -> Range:
    """Return the range of a tensor by the recipe's method; see docs/quantization.md.

    The range always holds 0, which convolutions pad with.
    """
    if recipe.method is Method.PERCENTILE:
        assert recipe.percentile is not None
        tail = (100.0 - recipe.percentile) / 200.0
        low, high = quantile(histogram, tail), quantile(histogram, 1.0 - tail)
    elif recipe.method is Method.ENTROPY:
        threshold = entropy_threshold(magnitudes(histogram), histogram.width)
        low, high = max(histogram.lowest, -threshold), min(histogram.highest, threshold)
    else:
        low, high = histogram.lowest, histogram.highest
    return Range(min(low, 0.0), max(high, 0.0))


def quantile(histogram: Histogram, share: float) -> float:
    """Return the value below which ``share`` of all values lie, 0 to 1, to within the width of a bin."""
    cumulated = np.cumsum(histogram.counts)
    wanted = share * cumulated[-1]
    index = int(np.searchsorted(cumulated, wanted))
    before = cumulated[index] - histogram.counts[index]
    inside = (wanted - before) / max(int(histogram.counts[index]), 1)
    value = (index - HALF + inside) * histogram.width
    return float(np.clip(value, histogram.lowest, histogram.highest))


def magnitudes(histogram: Histogram) -> np.ndarray:
    """Return the counts of ``abs(value)``, ``[HALF] int64``, in bins of the same width from 0 on."""
    return histogram.counts[HALF:] + histogram.counts[:HALF][::-1]


def entropy_threshold(counts: np.ndarray, width: float) -> float:
    """Return the magnitude at which to saturate so that 8 bits tell most about the values.

    The threshold with the smallest Kullback-Leibler divergence between the saturated histogram and the same one in
    ``LEVELS`` levels: NVIDIA's method of calibration (Migacz, "8-bit inference with TensorRT", GTC 2017).

    Args:
        counts: of magnitudes, in bins of equal width from 0 on.
        width: of a bin.
    """
    # The bin at zero, where rectifiers put most values, costs no level and would drown the others.
    counts = counts.astype(np.float64)
    counts[0] = counts[1] if counts.size > 1 else 0.0
    used = int(np.flatnonzero(counts)[-1]) + 1 if counts.any() else 0
    if used <= LEVELS:
        return used * width
    tried = [*range(LEVELS, used, STEP), used]
    best = min(tried, key=lambda bins: _divergence(counts, bins))
    return best * width


def _divergence(counts: np.ndarray, bins: int) -> float:
    """Divergence of the first ``bins`` bins, the rest saturated into the last, from themselves in ``LEVELS`` levels."""
    kept = counts[:bins]
    saturated = kept.copy()
    saturated[-1] += counts[bins:].sum()
    starts = np.arange(LEVELS) * bins // LEVELS
    filled = (saturated > 0).astype(np.float64)
    sums, number = np.add.reduceat(kept, starts), np.add.reduceat(filled, starts)
    level = np.repeat(sums / np.maximum(number, 1.0), np.diff([*starts, bins]))
    coarse = np.where(filled > 0, np.maximum(level, 1e-9), 0.0)
    p, q = saturated / saturated.sum(), coarse / max(coarse.sum(), 1e-30)
    seen = p > 0
    return float(np.sum(p[seen] * np.log(p[seen] / q[seen])))
