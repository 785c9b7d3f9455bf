"""Which setting to try next: a Gaussian process over the axes guesses what every setting comes to.

Near values of an axis give near results, and most axes act on their own: two threads are as much faster than one at any
interval. So the covariance of two settings is a sum over the axes and a product of them. What is tried next is the
setting that, at the bright end of the guess, would lie furthest before the front of those that were tried; where none
would, the search is over.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.tuning.search.limits import front_of
from edge_arseg.tuning.search.setting import ALL_THREADS, ORDERED, Setting
from edge_arseg.tuning.search.space import Space

OPTIMISM = 1.0
"""Standard deviations by which a guess is bettered before it is compared."""

LEAST = 0.01
"""Share of the spread of what was tried by which a guess has to lie before the front, to be worth a trial."""

_LENGTHS, _PRODUCTS, _NOISES = (0.5, 1.5, 4.0), (0.02, 0.2, 1.0), (1e-4, 1e-2)
"""What is tried for the reach of an axis, the weight of the product and the noise; the likeliest are taken."""


class Proposals:
    """Proposes settings of a space.

    Args:
        space: of which settings are tried.
    """

    def __init__(self, space: Space) -> None:
        self._settings = space.settings
        self._places = {setting: number for number, setting in enumerate(self._settings)}
        self._coordinates = _coordinates(space)

    def next(
        self,
        tried: Sequence[Setting],
        seen: Sequence[tuple[Setting, Sequence[float]]],
        bounds: Sequence[float],
    ) -> Setting | None:
        """Return a setting to try; ``None`` where nothing better is to be expected.

        Args:
            tried: settings that are not proposed again.
            seen: what settings came to, each the smaller the better; ``nan`` where it is not known.
            bounds: limits in the same form: a setting beyond one is not looked for once another holds them all.
        """
        done = {self._places[setting] for setting in tried if setting in self._places}
        left = np.array([number for number in range(len(self._settings)) if number not in done], np.intp)
        if not len(left):
            return None
        if (first := self._unseen(done, left)) is not None:
            return self._settings[first]
        known = [(self._places[setting], values) for setting, values in seen if setting in self._places]
        if not known:
            return self._settings[left[0]]
        places = np.array([place for place, _ in known], np.intp)
        values = np.array([value for _, value in known], np.float64)
        scales = np.where(np.isinf(bounds), np.nan, bounds)
        best = np.empty((len(left), values.shape[1]))
        spread = np.empty(values.shape[1])
        for column in range(values.shape[1]):
            mean, deviation, spread[column] = self._guess(places, values[:, column], left)
            best[:, column] = mean - OPTIMISM * deviation
        whole = values[~np.isnan(values).any(axis=1)]
        holding = whole[(whole <= np.asarray(bounds)).all(axis=1)]
        if not len(holding) and np.isfinite(scales).any():
            excess = np.nanmax((best - scales) / np.abs(scales), axis=1)
            return self._settings[left[int(np.argmin(excess))]]
        reference = holding if len(holding) else whole
        if not len(reference):
            return self._settings[left[0]]
        reference = reference[front_of([tuple(row) for row in reference])]
        # by how much of the spread every tried setting would have to be bettered to cover the guess
        ahead = ((reference[None] - best[:, None]) / spread).max(axis=2).min(axis=1)
        ahead = np.where((best <= np.asarray(bounds)).all(axis=1), ahead, -np.inf)
        chosen = int(np.argmax(ahead))
        return self._settings[left[chosen]] if ahead[chosen] > LEAST else None

    def _unseen(self, done: set[int], left: NDArray[np.intp]) -> int | None:
        """Return the setting with most values that no setting has had yet; ``None`` where all have been seen."""
        had = {item for place in done for item in self._settings[place].params.items()}
        counts = [len(set(self._settings[place].params.items()) - had) for place in left]
        most = int(np.argmax(counts))
        return int(left[most]) if counts[most] else None

    def _guess(
        self, places: NDArray[np.intp], values: NDArray[np.float64], left: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Return mean and deviation for each of ``left``, and the spread of what was seen."""
        known = ~np.isnan(values)
        places, values = places[known], values[known]
        positive = bool(len(values)) and bool((values > 0).all())
        scaled = np.log(values) if positive else values
        middle, spread = (float(scaled.mean()), float(scaled.std()) or 1.0) if len(scaled) else (0.0, 1.0)
        if len(scaled) < 2:
            return np.full(len(left), middle), np.full(len(left), spread), spread
        target = (scaled - middle) / spread
        likeliest: tuple[float, NDArray[Any], NDArray[Any]] | None = None
        every = np.concatenate((places, left))
        apart = [_apart(axis[places, None], axis[None, every], named) for axis, named in self._coordinates]
        count = len(places)
        for length in _LENGTHS:
            likes = [np.exp(-distance / length) for distance in apart]
            summed, product = np.mean(likes, axis=0), np.prod(likes, axis=0)
            for weight in _PRODUCTS:
                whole = (summed + weight * product) / (1 + weight)
                for noise in _NOISES:
                    factor = np.linalg.cholesky(whole[:, :count] + noise * np.eye(count))
                    half = np.linalg.solve(factor, target)
                    likelihood = -0.5 * float(half @ half) - float(np.log(np.diag(factor)).sum())
                    if likeliest is None or likelihood > likeliest[0]:
                        across = np.linalg.solve(factor, whole[:, count:])
                        variance = np.maximum(1.0 - (across**2).sum(axis=0), 0.0)  # a setting is like itself: 1
                        likeliest = likelihood, half @ across, np.sqrt(variance)
        assert likeliest is not None
        _, mean, deviation = likeliest
        mean, deviation = middle + spread * mean, spread * deviation
        if positive:  # back from logarithms: to first order
            centre = np.exp(mean)
            return centre, centre * deviation, float(values.std()) or 1.0
        return mean, deviation, spread


def _apart(one: NDArray[np.float64], other: NDArray[np.float64], named: bool) -> NDArray[np.float64]:
    """Return how far values of an axis are apart, 0 to 1: names are as far apart as the ends of an axis of numbers."""
    return (one != other).astype(np.float64) if named else np.abs(one - other)


def _coordinates(space: Space) -> list[tuple[NDArray[np.float64], bool]]:
    """Return ``[settings]`` for each axis that varies, and whether its values are names.

    Of numbers it is the logarithm over the axis' range, 0 to 1; all threads are more than any number of them.
    """
    found = []
    params = [setting.params for setting in space.settings]
    for axis in space.axes:
        texts = [one[axis] for one in params]
        names = list(dict.fromkeys(texts))
        if len(names) < 2:
            continue
        if axis not in ORDERED:
            found.append((np.array([float(names.index(text)) for text in texts]), True))
            continue
        numbers = {name: float(np.log(float(name))) for name in names if name != ALL_THREADS}
        column = np.array([numbers.get(text, max(numbers.values()) + np.log(2)) for text in texts])
        found.append(((column - column.min()) / np.ptp(column), False))
    return found or [(np.zeros(len(params)), True)]
