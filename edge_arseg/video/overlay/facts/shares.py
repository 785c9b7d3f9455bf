"""How much of the picture each class covers, steady enough to be read."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_SAMPLES: Final = 150
"""Rows and columns that are looked at, at least: whole per cents are shown."""
_NEW: Final = 0.2
_ENTERS, _LEAVES = 0.005, 0.002


class Shares:
    """Follows the shares of the classes from frame to frame, smoothed.

    Args:
        count: of the classes; other indices count for the whole alone.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._smooth: NDArray[np.float64] | None = None
        self._seen = np.zeros(count, bool)

    def follow(self, class_map: NDArray[np.uint8]) -> list[tuple[int, float]]:
        """Return the classes that are seen, in their order, with their shares, 0 to 1.

        A class comes in with half a per cent and stays until it has less than a fifth.
        """
        rows, columns = (max(1, side // _SAMPLES) for side in class_map.shape)
        sample = class_map[::rows, ::columns].ravel()
        now = np.bincount(sample, minlength=256)[: self._count] / max(len(sample), 1)
        self._smooth = now if self._smooth is None else self._smooth + _NEW * (now - self._smooth)
        self._seen = self._smooth >= np.where(self._seen, _LEAVES, _ENTERS)
        return [(int(index), float(self._smooth[index])) for index in np.flatnonzero(self._seen)]
