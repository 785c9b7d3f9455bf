"""A Gaussian process over the axes of a space: what a value of every setting may be, from those of some."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_arseg.tuning.search.setting import ALL_THREADS, ORDERED
from edge_arseg.tuning.search.space import Space

_LENGTHS, _PRODUCTS, _NOISES = (0.5, 1.5, 4.0), (0.02, 0.2, 1.0), (1e-4, 1e-2)
"""What is tried for the reach of an axis, the weight of the product and the noise; the likeliest are taken."""

_ENOUGH = 120
"""Of what is known, the first so many decide what is likeliest."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis that varies.

    Attributes:
        name: of it.
        codes: ``[settings]``, which of its values each setting has.
        apart: ``[values, values]``, how far two values are apart, 0 to 1.
    """

    name: str
    codes: NDArray[np.intp]
    apart: NDArray[np.float64]

    def alike(self, one: NDArray[np.intp], other: NDArray[np.intp], length: float) -> NDArray[np.float64]:
        """Return ``[one, other]``, how alike settings are in this axis, 0 to 1."""
        found: NDArray[np.float64] = np.exp(-self.apart / length)[self.codes[one][:, None], self.codes[other][None]]
        return found


def axes_of(space: Space) -> list[Axis]:
    """Return the axes that vary.

    Names are as far apart as the ends of an axis of numbers, which counts by their logarithms. All threads are twice
    the largest number of them.
    """
    found = []
    params = [setting.params for setting in space.settings]
    for axis in space.axes:
        texts = [one[axis] for one in params]
        names = list(dict.fromkeys(texts))
        if len(names) < 2:
            continue
        apart = 1.0 - np.eye(len(names))
        if axis in ORDERED:
            numbers = {name: float(np.log(float(name))) for name in names if name != ALL_THREADS}
            line = np.array([numbers.get(name, max(numbers.values()) + np.log(2)) for name in names])
            apart = np.abs(line[:, None] - line[None]) / np.ptp(line)
        found.append(Axis(axis, np.array([names.index(text) for text in texts], np.intp), apart))
    return found or [Axis("bundle", np.zeros(len(params), np.intp), np.zeros((1, 1)))]


def guess(
    axes: Sequence[Axis],
    places: NDArray[np.intp],
    values: NDArray[np.float64],
    asked: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what ``asked`` may come to: mean and standard deviation of each.

    Args:
        axes: see ``axes_of``.
        places: of the settings of which something is known, as numbers in the space.
        values: what is known of each.
        asked: places of the settings that are guessed.
    """
    middle, spread = (float(values.mean()), float(values.std()) or 1.0) if len(values) else (0.0, 1.0)
    if len(values) < 2:
        return np.full(len(asked), middle), np.full(len(asked), spread)
    target = (values - middle) / spread
    length, weight, noise = _likeliest(axes, places[:_ENOUGH], target[:_ENOUGH])
    whole = _covariance(_parts(axes, places, places, length), weight) + noise * np.eye(len(target))
    others = _covariance(_parts(axes, places, asked, length), weight)
    solved = np.linalg.solve(whole, np.column_stack((others, target)))
    variance = np.maximum(1.0 - (others * solved[:, :-1]).sum(axis=0), 0.0)  # a setting is like itself: 1
    return middle + spread * (others.T @ solved[:, -1]), spread * np.sqrt(variance)


def _likeliest(
    axes: Sequence[Axis], places: NDArray[np.intp], target: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Return the length, the weight of the product and the noise under which ``target`` is likeliest."""
    found, best = (_LENGTHS[0], _PRODUCTS[0], _NOISES[0]), -np.inf
    for length in _LENGTHS:
        parts = _parts(axes, places, places, length)
        for weight in _PRODUCTS:
            for noise in _NOISES:
                factor = np.linalg.cholesky(_covariance(parts, weight) + noise * np.eye(len(target)))
                half = np.linalg.solve(factor, target)
                likelihood = -0.5 * float(half @ half) - float(np.log(np.diag(factor)).sum())
                if likelihood > best:
                    found, best = (length, weight, noise), likelihood
    return found


def _covariance(parts: tuple[NDArray[np.float64], NDArray[np.float64]], weight: float) -> NDArray[np.float64]:
    summed, product = parts
    return (summed + weight * product) / (1 + weight)


def _parts(
    axes: Sequence[Axis], one: NDArray[np.intp], other: NDArray[np.intp], length: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and product over the axes of how alike settings are."""
    likes = [axis.alike(one, other, length) for axis in axes]
    return np.mean(likes, axis=0), np.prod(likes, axis=0)
