"""Axes of a space, and how alike two settings are in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis that varies.

    Attributes:
        codes: ``[settings]``, which of its values each setting has.
        apart: ``[values, values]``, how far two values are apart, 0 to 1.
    """

    codes: NDArray[np.intp]
    apart: NDArray[np.float64]

    def alike(self, one: NDArray[np.intp], other: NDArray[np.intp], length: float) -> NDArray[np.float64]:
        """Return ``[one, other]``, how alike settings are in this axis, 0 to 1."""
        found: NDArray[np.float64] = np.exp(-self.apart / length)[self.codes[one][:, None], self.codes[other][None]]
        return found


def axis_from_texts(texts: Sequence[str], number: Callable[[str], float] | None = None) -> Axis:
    """Return an axis: names are all as far apart as the ends of an axis of numbers.

    Args:
        texts: the value of each setting.
        number: where on a line a value lies; ``None``: values are names.
    """
    names = list(dict.fromkeys(texts))
    apart = 1.0 - np.eye(len(names))
    if number is not None and len(names) > 1:
        line = np.array([number(name) for name in names])
        apart = np.abs(line[:, None] - line[None]) / (np.ptp(line) or 1.0)
    places = {name: place for place, name in enumerate(names)}
    return Axis(np.array([places[text] for text in texts], np.intp), apart)


def likeness(
    axes: Sequence[Axis], one: NDArray[np.intp], other: NDArray[np.intp], length: float, weight: float
) -> NDArray[np.float64]:
    """Return ``[one, other]``, how alike settings are, 0 to 1: the mean over the axes and, by ``weight``, the product.

    Most axes act on their own, as threads make a network as many times as fast at any interval: that is the mean.
    """
    likes = [axis.alike(one, other, length) for axis in axes]
    found: NDArray[np.float64] = (np.mean(likes, axis=0) + weight * np.prod(likes, axis=0)) / (1 + weight)
    return found
