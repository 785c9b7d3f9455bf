"""mIoU by the number of distances: one setting at a long interval tells of the shorter ones.

mIoU of an interval is the mean over its distances, so the scores of a long one have those of the shorter ones in them.
They are not the same: where the first keyframe is set on one frame alone, each distance is scored on other frames, and
the more, the shorter the interval. What that changes is mostly the same in all settings, since all are scored on the
same frames: it is learned with them.

A level, that of keyframes, is what bundles have; a loss, which is 0 at one distance, is what bundle, motion and way of
keyframes have.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_arseg.motion.policies.naming import in_background
from edge_arseg.tuning.search.axis import Axis, likeness
from edge_arseg.tuning.search.outcome import Outcome
from edge_arseg.tuning.search.process import Known, likeliest
from edge_arseg.tuning.search.setting import Setting

_REACHES = tuple(itertools.product((0.5, 2.0), (0.05, 0.5), (0.7, 3.0), (3.0, 10.0)))
"""What is tried for the reach of an axis, the weight of the product, and points by which levels and losses differ."""

_ENOUGH = 100
"""So many of the values, evenly, decide what is likeliest."""

_BACKENDS = 0.15
"""Points by which backends change mIoU of a bundle: they round otherwise."""

_REPEATED = 0.03
"""Points by which scores of the same class maps differ from the model at least."""

_UNKNOWN = 0.5
"""Points by which mIoU differs by the choice of frames, where that is not known, and at least where few were scored."""

_COMMON = 0.8
"""Share of the variance by the choice of frames that all settings have in common."""


@dataclass(frozen=True, slots=True)
class Scored:
    """mIoU of the first distances of a setting.

    Attributes:
        place: of the setting in the space.
        distances: how many.
        miou: per cent.
        group: interval at which it was scored; settings of one were scored on the same frames. 0: on all.
        common: standard deviation by the choice of frames, points: fewer frames are scored than of the whole interval.
        own: standard deviation of this value alone.
    """

    place: int
    distances: int
    miou: float
    group: int
    common: float
    own: float


def scored_of(place: int, setting: Setting, outcome: Outcome, intervals: Sequence[int], frames: int) -> list[Scored]:
    """Return what the scores of a setting say of its interval and of shorter ones.

    Args:
        place: of the setting in the space.
        setting: it.
        outcome: what it came to.
        intervals: of the space.
        frames: that are scored of a setting that is not given up.
    """
    parts = outcome.parts
    if outcome.miou != outcome.miou:
        return []
    chosen = (outcome.miou_high - outcome.miou_low) / 4  # 95 % are four standard deviations
    chosen = _UNKNOWN if chosen != chosen else chosen
    late = in_background(setting.keyframes)  # distances count from keyframes that came later
    if not outcome.whole(frames):  # given up after some of the frames, which may have had some of the distances
        reach = setting.interval if parts is None or late else min(parts.reach, setting.interval)
        return [Scored(place, reach, outcome.miou, 0, 0.0, max(chosen, _UNKNOWN))] if reach else []
    found = [Scored(place, setting.interval, outcome.miou, 0, 0.0, _REPEATED)]
    if parts is None or late:
        return found
    for count in intervals:
        if count < setting.interval and count <= parts.reach:
            miou, maps = float(np.mean(parts.by_distance[:count])), sum(parts.maps[:count])
            left = max(parts.frames / max(maps, 1) - 1.0, 0.0)
            found.append(Scored(place, count, miou, setting.interval, chosen * left**0.5, _REPEATED))
    return found


class Curves:
    """Guesses mIoU of every setting.

    Args:
        bundles: axes of the bundle: HR graph and the others.
        losses: axes on which the loss by distance depends, those of the bundle among them.
        backends: the axis of backends.
        intervals: ``[settings]``.
    """

    def __init__(
        self, bundles: Sequence[Axis], losses: Sequence[Axis], backends: Axis, intervals: NDArray[np.intp]
    ) -> None:
        self._bundles, self._losses, self._backends = bundles, losses, backends
        self._intervals, self._scale = intervals, np.log(max(2.0, float(intervals.max())))
        rows = np.column_stack([axis.codes for axis in losses])
        _, self._part = np.unique(rows, axis=0, return_inverse=True)
        self._part = self._part.reshape(-1)

    @property
    def part(self) -> NDArray[np.intp]:
        """``[settings]``: settings with the same number have the same mIoU at each distance, but for roundings."""
        return self._part

    def guess(self, scored: Sequence[Scored]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return minus mIoU of every setting: mean and standard deviation."""
        count = len(self._intervals)
        if not scored:
            return np.full(count, -50.0), np.full(count, 30.0)
        values = np.array([-one.miou for one in scored])
        places = np.array([one.place for one in scored], np.intp)
        distances = np.array([one.distances for one in scored], np.intp)
        noise, middle = _noise(scored), float(values.mean())

        def known(reach: tuple[float, ...], chosen: NDArray[np.intp]) -> Known:
            at, own = places[chosen], distances[chosen]
            covariance = self._covariance(reach, at, own, at, own)
            return Known(values[chosen], middle, covariance, noise[np.ix_(chosen, chosen)])

        some = np.unique(np.linspace(0, len(values) - 1, min(len(values), _ENOUGH)).astype(np.intp))
        reach = likeliest(_REACHES, lambda reach: known(reach, some))
        every = np.arange(count)
        others = self._covariance(reach, places, distances, every, self._intervals)
        line = np.log(self._intervals) / self._scale
        own = reach[2] ** 2 + reach[3] ** 2 * (line**2 + line) / 2 + _BACKENDS**2
        return known(reach, np.arange(len(values))).guess(others, own)

    def _covariance(
        self,
        reach: tuple[float, ...],
        one: NDArray[np.intp],
        distances: NDArray[np.intp],
        other: NDArray[np.intp],
        others: NDArray[np.intp],
    ) -> NDArray[np.float64]:
        length, weight, level, loss = reach
        bundles = likeness(self._bundles, one, other, length, weight)
        lines = (np.log(distances) / self._scale)[:, None], (np.log(others) / self._scale)[None]
        grown = (lines[0] * lines[1] + np.minimum(*lines)) / 2
        rounded = self._backends.alike(one, other, 0.1) * likeness(self._bundles, one, other, 0.1, 1e6)
        losses = likeness(self._losses, one, other, length, weight)
        found: NDArray[np.float64] = level**2 * bundles + loss**2 * losses * grown + _BACKENDS**2 * rounded
        return found


def _noise(scored: Sequence[Scored]) -> NDArray[np.float64]:
    """Return ``[N, N]``; frames that are scored at the first distances alone are among those at more of them."""
    groups = np.array([one.group for one in scored])
    places = np.array([one.place for one in scored])
    common = np.array([one.common for one in scored]) ** 2
    shared = np.minimum(common[:, None], common[None]) * (groups[:, None] == groups[None])
    shares = np.where(places[:, None] == places[None], 1.0, _COMMON)
    return np.array(shared * shares + np.diag([one.own**2 for one in scored]))
