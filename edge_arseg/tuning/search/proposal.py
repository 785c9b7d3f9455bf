"""Which setting to try next.

First come settings with values that none has had yet, at the longest interval, which tells of the shorter ones. Then
the surrogate says of every setting what it is taken to come to. What is tried next is the setting that, at the bright
end of that, would lie furthest before the front of what the tried ones are taken to come to: not of their measurements,
so that a lucky timing hides nothing. Where only the bright end is ahead, it is tried at the longest interval of which
that holds. Where none is ahead, the search is over.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_arseg.tuning.search.limits import Limits, front_of
from edge_arseg.tuning.search.outcome import Outcome, frames_scored
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.tuning.search.space import Space
from edge_arseg.tuning.search.surrogate import Surrogate

OPTIMISM = (1.0, 1.5)
"""Standard deviations by which a guess is bettered before it is compared; the second where the first leads nowhere."""

LEAST = 0.005
"""Share of the spread of what was tried by which a guess has to lie before the front, to be worth a trial."""

Seen = Sequence[tuple[Setting, Outcome]]


class Proposals:
    """Proposes settings of a space.

    Args:
        space: of which settings are tried.
    """

    def __init__(self, space: Space) -> None:
        self._settings, self._halves = space.settings, space.halves
        self._places = {setting: number for number, setting in enumerate(self._settings)}
        self._surrogate = Surrogate(space)
        self._intervals = np.array([setting.interval for setting in self._settings])

    def next(self, tried: Sequence[Setting], seen: Seen, limits: Limits) -> Setting | None:
        """Return a setting to try; ``None`` where nothing better is to be expected.

        Args:
            tried: settings that are not proposed again.
            seen: what settings came to; ``nan`` where it is not known.
            limits: a setting beyond one is not looked for once another holds them all.
        """
        done = {self._places[setting] for setting in tried if setting in self._places}
        left = np.array([number for number in range(len(self._settings)) if number not in done], np.intp)
        if not len(left):
            return None
        if (first := self._unseen(done, left)) is not None:
            return self._settings[first]
        known = [(setting, outcome) for setting, outcome in seen if setting in self._places]
        if not known:
            return self._settings[left[0]]
        chosen = self._ahead(left, known, limits)
        return None if chosen is None else self._settings[chosen]

    def expected(self, seen: Seen, limits: Limits) -> list[tuple[float, ...]]:
        """Return what settings are taken to come to that were tried to their end, in the form of ``Limits.values``.

        mIoU is as it was measured: the same class maps give the same scores.
        """
        mean = self._surrogate.guess(seen, limits).mean
        return [
            (-outcome.miou, *np.exp(mean[self._places[setting], 1:]).tolist())
            if setting in self._places
            else limits.values(outcome)
            for setting, outcome in seen
        ]

    def _ahead(self, left: NDArray[np.intp], known: Seen, limits: Limits) -> int | None:
        """Return the place of the setting that may lie furthest before the front; ``None``: none may."""
        expected = self._surrogate.guess(known, limits)
        bounds = np.array(limits.bounds, np.float64)
        bounds[1:] = np.log(bounds[1:])
        places = np.array([self._places[setting] for setting, _ in known], np.intp)
        spread = np.maximum(expected.mean[places].std(axis=0), 1e-3)
        frames = frames_scored(outcome for _, outcome in known)
        there = np.array([outcome.whole(frames) for _, outcome in known])
        measured = np.array([limits.hold(outcome) for _, outcome in known])
        whole = places[there]
        holding = whole[(expected.mean[whole] <= bounds).all(axis=1) | measured[there]]
        bright = expected.mean - OPTIMISM[0] * expected.deviation
        if not len(holding) and np.isfinite(bounds).any():
            excess = np.where(np.isfinite(bounds), (bright - bounds) / spread, -np.inf).max(axis=1)
            return int(left[int(np.argmin(excess[left]))])
        reference = holding if len(holding) else whole
        if not len(reference):
            return int(left[0])
        rows = expected.mean[reference] / spread
        rows = rows[front_of([tuple(row) for row in rows])]
        for optimism in OPTIMISM:
            bright = expected.mean - optimism * expected.deviation
            ahead = _before(rows, bright / spread)
            ahead[(bright > bounds).any(axis=1)] = -np.inf
            worth = left[ahead[left] > LEAST]
            if len(worth):
                chosen = int(worth[int(np.argmax(ahead[worth]))])
                sure = _before(rows, expected.mean[[chosen]] / spread)[0] > LEAST
                return chosen if sure else self._longest(chosen, worth)
        return None

    def _longest(self, chosen: int, worth: NDArray[np.intp]) -> int:
        """Return the setting with the longest interval that differs from the chosen one in nothing else."""
        parts = self._surrogate.parts
        alike = worth[(parts[worth][:, 1:] == parts[chosen, 1:]).all(axis=1)]
        return int(alike[int(np.argmax(self._intervals[alike]))]) if len(alike) else chosen

    def _unseen(self, done: set[int], left: NDArray[np.intp]) -> int | None:
        """Return the setting with most values that no setting has had yet; ``None`` where all have been seen."""
        values = [self._values(setting) for setting in self._settings]
        had = {item for place in done for item in values[place]}
        counts = np.array([len(values[place] - had) for place in left])
        if not counts.max():
            return None
        most = left[counts == counts.max()]
        return int(most[int(np.argmax(self._intervals[most]))])

    def _values(self, setting: Setting) -> set[tuple[str, str]]:
        hr, rest = self._halves.get(setting.bundle, (setting.bundle, setting.bundle))
        params = {key: text for key, text in setting.params.items() if key not in ("bundle", "interval")}
        return {("hr", hr), *({("rest", rest)} if setting.interval > 1 else ()), *params.items()}


def _before(front: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much every row of a front would have to be bettered to cover each of ``rows``."""
    found: NDArray[np.float64] = (front[None] - rows[:, None]).max(axis=2).min(axis=1)
    return found
