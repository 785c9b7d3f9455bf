"""Means of activations by channel, of what was seen of each tensor."""

import numpy as np
from numpy.typing import NDArray


class ChannelMean:
    """The mean of each channel of a tensor ``[N, C, ...]``, over all that was added."""

    def __init__(self) -> None:
        self._sum: NDArray[np.float64] | None = None
        self._count = 0

    def add(self, values: np.ndarray) -> None:
        """Take the values of an array of floats, ``[N, C, ...]``; ``C`` is the same each time."""
        rest = tuple(axis for axis in range(values.ndim) if axis != 1)
        total = values.sum(axis=rest, dtype=np.float64)
        self._sum = total if self._sum is None else self._sum + total
        self._count += values.size // values.shape[1]

    def mean(self) -> NDArray[np.float64]:
        """Return ``[C]``; something was added."""
        assert self._sum is not None
        return self._sum / self._count
