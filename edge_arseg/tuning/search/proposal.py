"""Which setting to try next: a Gaussian process over the axes guesses what every setting comes to.

Near values of an axis give near results, and most axes act on their own: two threads are as much faster than one at any
interval. So the covariance of two settings is a sum over the axes and a product of them. mIoU depends on neither
threads nor, but for roundings, the backend. Times count by their logarithms: what matters is how many times as fast a
setting is.

What is tried next is the setting that, at the bright end of the guess, would lie furthest before the front of what the
tried ones are taken to come to: their guesses, not their measurements, so that a lucky timing hides nothing. Where none
would, the search is over.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_arseg.tuning.search.limits import front_of
from edge_arseg.tuning.search.process import axes_of, guess
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.tuning.search.space import Space

OPTIMISM = 1.0
"""Standard deviations by which a guess is bettered before it is compared."""

LEAST = 0.01
"""Share of the spread of what was tried by which a guess has to lie before the front, to be worth a trial."""

SAME_MAPS = {"threads": 0.0, "backend": 0.05}
"""How far apart values of an axis are in mIoU at most: threads change no class map, backends round otherwise."""


class Proposals:
    """Proposes settings of a space.

    Args:
        space: of which settings are tried.
    """

    def __init__(self, space: Space) -> None:
        self._settings = space.settings
        self._places = {setting: number for number, setting in enumerate(self._settings)}
        self._axes = axes_of(space)
        self._axes_of_maps = [replace(axis, apart=axis.apart * SAME_MAPS.get(axis.name, 1.0)) for axis in self._axes]

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
        limits = np.array(bounds, np.float64)
        best, likely = np.empty((len(left), len(bounds))), np.empty((len(known), len(bounds)))
        for column in range(len(bounds)):
            data, limits[column] = _scaled(values[:, column], limits[column])
            there = ~np.isnan(data)
            axes = self._axes if column else self._axes_of_maps
            mean, deviation = guess(axes, places[there], data[there], np.concatenate((left, places)))
            spread = (float(data[there].std()) if there.any() else 0.0) or 1.0
            best[:, column] = (mean - OPTIMISM * deviation)[: len(left)] / spread
            likely[:, column] = mean[len(left) :] / spread
            limits[column] /= spread
        whole = likely[~np.isnan(values).any(axis=1)]
        holding = whole[(whole <= limits).all(axis=1)]
        if not len(holding) and np.isfinite(limits).any():
            excess = np.where(np.isfinite(limits), best - limits, -np.inf).max(axis=1)
            return self._settings[left[int(np.argmin(excess))]]
        reference = holding if len(holding) else whole
        if not len(reference):
            return self._settings[left[0]]
        reference = reference[front_of([tuple(row) for row in reference])]
        # by how much of the spread every tried setting would have to be bettered to cover the guess
        ahead = (reference[None] - best[:, None]).max(axis=2).min(axis=1)
        ahead = np.where((best <= limits).all(axis=1), ahead, -np.inf)
        chosen = int(np.argmax(ahead))
        return self._settings[left[chosen]] if ahead[chosen] > LEAST else None

    def _unseen(self, done: set[int], left: NDArray[np.intp]) -> int | None:
        """Return the setting with most values that no setting has had yet; ``None`` where all have been seen."""
        had = {item for place in done for item in self._settings[place].params.items()}
        counts = [len(set(self._settings[place].params.items()) - had) for place in left]
        most = int(np.argmax(counts))
        return int(left[most]) if counts[most] else None


def _scaled(values: NDArray[np.float64], limit: float) -> tuple[NDArray[np.float64], float]:
    """Return values and their limit by their logarithms; as they are where one is not above 0, as minus mIoU is."""
    if not (values[~np.isnan(values)] > 0).all():
        return values, limit
    return np.log(values), float(np.log(limit))
