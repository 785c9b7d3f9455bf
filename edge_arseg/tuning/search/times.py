"""Times of a branch: what some settings took foretells the others, by their logarithms."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_arseg.tuning.search.axis import Axis, likeness
from edge_arseg.tuning.search.process import Known, likeliest

_REACHES = tuple(itertools.product((0.5, 1.5, 4.0), (0.02, 0.2, 1.0), (0.01, 0.03, 0.08, 0.25)))
"""What is tried for the reach of an axis, the weight of the product and the noise of a time, a share of it."""

_USUAL = 0.03
"""Noise that is likely before much is known: few times that differ do not tell whether it is by noise."""

_SPREAD = 0.4
"""Logarithms by which settings differ at least before much is known: some take one and a half times as long."""

_FEW = 2.0
"""Frames of a branch with which the noise of their mean is that of the machine again."""


class Times:
    """Guesses the times of a branch, or another quantity that is above 0, of every setting.

    Args:
        axes: on which it depends.
    """

    def __init__(self, axes: Sequence[Axis]) -> None:
        rows = np.column_stack([axis.codes for axis in axes])
        parts, self._part = np.unique(rows, axis=0, return_inverse=True)
        self._part = self._part.reshape(-1)
        varying = [Axis(codes, axis.apart) for axis, codes in zip(axes, parts.T, strict=True) if len(axis.apart) > 1]
        self._axes = varying or [Axis(np.zeros(len(parts), np.intp), np.zeros((1, 1)))]
        self._every = np.arange(len(parts))

    @property
    def part(self) -> NDArray[np.intp]:
        """``[settings]``: settings with the same number take the same time."""
        return self._part

    def guess(
        self, places: NDArray[np.intp], values: NDArray[np.float64], frames: NDArray[np.float64], middle: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return logarithms of the time of every setting: mean and standard deviation.

        Args:
            places: of the settings that are known, as numbers in the space.
            values: their times.
            frames: of each, that were timed.
            middle: logarithm that is expected while nothing is known.
        """
        if not len(values):
            return np.full(len(self._part), middle), np.ones(len(self._part))
        logs, own = np.log(np.maximum(values, 1e-9)), self._part[places]
        spread, middle = max(float(logs.std()), _SPREAD), float(logs.mean())
        few = 1.0 + _FEW / np.maximum(frames, 1.0)

        def known(reach: tuple[float, float, float]) -> Known:
            length, weight, noise = reach
            alike = likeness(self._axes, own, own, length, weight)
            return Known(logs, middle, spread**2 * alike, np.diag(noise**2 * few))

        length, weight, noise = likeliest(_REACHES, known, lambda reach: -(np.log(reach[2] / _USUAL) ** 2) / 2)
        sure = known((length, weight, noise)).without_disturbances()
        others = spread**2 * likeness(self._axes, own, self._every, length, weight)
        mean, deviation = sure.guess(others, np.full(len(self._every), spread**2))
        return mean[self._part], deviation[self._part]
