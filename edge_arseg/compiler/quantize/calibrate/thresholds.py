"""From what was seen of a tensor to the range that its integers shall cover."""

import numpy as np

from edge_arseg.compiler.quantize.calibrate.histogram import HALF, Histogram
from edge_arseg.compiler.quantize.calibrate.ranges import Range
from edge_arseg.spec.recipe import Method, Recipe

LEVELS = 128
"""Levels of a magnitude in 8 bits, sign apart: what the entropy method squeezes a histogram into."""

STEP = 8
"""Bins between two thresholds that the entropy method tries."""


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
