"""The middle of differences that belong to pairs, with exact bounds: Hodges and Lehmann's estimate, Wilcoxon's ranks.

Nothing is assumed of the noise but that a pair of the same build could as well have come the other way round. That is
so by the order of measuring, whatever else the machine does; so a false alarm is as rare as the confidence says. One
pair in five may be far off, and the estimate hardly moves.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def middle(steps: NDArray[np.float64]) -> float:
    """Return the median of the means of all pairs of ``[N]`` steps, each with itself too."""
    return float(np.median(_walsh(steps)))


def bounds(steps: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Return what the middle is at least and at most, each with this confidence; infinite where steps are too few.

    Args:
        steps: ``[N]``, one of each pair.
        confidence: of each bound by itself, above 0.5.
    """
    means = np.sort(_walsh(steps))
    out = _left_out(len(steps), 1 - confidence)
    if out < 0:
        return -np.inf, np.inf
    return float(means[out]), float(means[len(means) - 1 - out])


def _walsh(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = np.triu_indices(len(steps))
    return np.asarray((steps[first] + steps[second]) / 2)


@lru_cache
def _left_out(count: int, chance: float) -> int:
    """Return how many of the lowest means may be left out, -1 for not even none: the rank sum is that small by chance
    alone at most so often."""
    ways = np.zeros(count * (count + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, count + 1):  # each rank has either sign
        ways[rank:] += ways[:-rank].copy()
        ways /= 2.0
    return int(np.searchsorted(np.cumsum(ways), chance, side="right")) - 1
