"""What every setting may come to, put together from its parts.

The mean time of a frame is that of one HR frame and of the LR frames of a GOP. How long an HR frame takes depends on
the HR graph, the engine library and the threads; an LR frame on the other graphs, on those two, on motion and way of
keyframes. So settings that were tried tell of all others that have the same parts: of other intervals, and of mixtures.
Where keyframes are made in the background there are LR frames alone, and how much they are held up depends on the
interval.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_arseg.motion.policies.naming import in_background
from edge_arseg.tuning.search.axis import axis_from_texts
from edge_arseg.tuning.search.curves import Curves, scored_of
from edge_arseg.tuning.search.limits import Limits
from edge_arseg.tuning.search.outcome import Outcome, frames_scored
from edge_arseg.tuning.search.parts import Parts
from edge_arseg.tuning.search.setting import ALL_THREADS, Setting
from edge_arseg.tuning.search.space import Space
from edge_arseg.tuning.search.times import Times

_NONE = "-"
"""Value of an axis that counts for nothing in a setting."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What settings are taken to come to; columns as in ``Limits.values``, logarithms of all but mIoU.

    Attributes:
        mean: ``[settings, columns]``.
        deviation: likewise.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


class Surrogate:
    """Guesses what every setting of a space comes to.

    Args:
        space: it.
    """

    def __init__(self, space: Space) -> None:
        settings = space.settings
        halves = [space.halves.get(one.bundle, (one.bundle, one.bundle)) for one in settings]
        hr, rest = axis_from_texts([half[0] for half in halves]), axis_from_texts([half[1] for half in halves])
        backend = axis_from_texts([one.backend for one in settings])
        threads = axis_from_texts([one.params["threads"] for one in settings], _threads_line(settings))
        motion = axis_from_texts([one.motion for one in settings])
        scale = axis_from_texts(
            [one.params["recode-scale"] for one in settings], lambda text: float(np.log(float(text)))
        )
        keyframes = axis_from_texts([one.keyframes for one in settings])
        self._background = np.array([in_background(one.keyframes) for one in settings])
        beside = [half[0] if aside else _NONE for half, aside in zip(halves, self._background, strict=True)]
        self._interval = np.array([one.interval for one in settings], np.intp)
        longest = 2.0 * float(self._interval.max())
        every = [str(one.interval) if aside else _NONE for one, aside in zip(settings, self._background, strict=True)]
        held_up = axis_from_texts(every, lambda text: float(np.log(longest if text == _NONE else float(text))))
        ways = [motion, scale, keyframes]
        self._hr = Times([hr, backend, threads])
        self._lr = Times([rest, backend, threads, *ways, axis_from_texts(beside), held_up])
        intervals = axis_from_texts([str(one.interval) for one in settings], lambda text: float(np.log(float(text))))
        self._power = Times([hr, rest, backend, threads, *ways, intervals])
        self._curves = Curves([hr, rest], [hr, rest, *ways], backend, self._interval)
        self._shorter = sorted({one.interval for one in settings})
        self._settings, self._places = settings, {setting: number for number, setting in enumerate(settings)}

    @property
    def parts(self) -> NDArray[np.intp]:
        """``[settings, parts]``: numbers of the HR time, the LR time and the curve of mIoU of each; -1: it has none."""
        hr = np.where(self._background, -1, self._hr.part)
        return np.column_stack((hr, np.where(self._interval == 1, -1, self._lr.part), self._curves.part))

    def guess(self, seen: Sequence[tuple[Setting, Outcome]], limits: Limits) -> Expected:
        """Return what every setting is taken to come to.

        Args:
            seen: what settings came to.
            limits: they say what counts.
        """
        known = [(self._places[setting], one) for setting, one in seen if setting in self._places]
        times = [(place, one.mean_ms, self._parts(place, one)) for place, one in known]
        middle = float(np.mean([np.log(ms) for _, ms, _ in times])) if times else 0.0
        hr_all, hr_off = self._times(self._hr, [(p, own.hr_ms, own.hr_frames) for p, _, own in times], middle)
        lr_all, lr_off = self._times(self._lr, [(p, own.lr_ms, own.lr_frames) for p, _, own in times], middle)
        share = np.where(self._background, 0.0, 1.0 / self._interval)
        hr_ms, lr_ms = share * np.exp(hr_all), (1.0 - share) * np.exp(lr_all)
        mean_ms = hr_ms + lr_ms
        frames = frames_scored(outcome for _, outcome in known)
        scored = [
            one for p, outcome in known for one in scored_of(p, self._settings[p], outcome, self._shorter, frames)
        ]
        columns = [self._curves.guess(scored), (np.log(mean_ms), np.hypot(hr_ms * hr_off, lr_ms * lr_off) / mean_ms)]
        if limits.slow_ms is not None:
            slower = (share > 0) & ((share == 1) | (hr_all > lr_all))
            columns.append((np.where(slower, hr_all, lr_all), np.where(slower, hr_off, lr_off)))
        if limits.j_per_frame is not None:
            watts = [(p, one.j_per_frame / one.mean_ms, 1) for p, one in known if one.j_per_frame is not None]
            power, off = self._times(self._power, watts, 0.0)
            columns.append((power + columns[1][0], np.hypot(off, columns[1][1])))
        return Expected(np.column_stack([one[0] for one in columns]), np.column_stack([one[1] for one in columns]))

    def _parts(self, place: int, outcome: Outcome) -> Parts:
        """Return the parts; where they are not known, or there are LR frames alone, those that follow from the mean."""
        if outcome.parts is not None and not self._background[place]:
            return outcome.parts
        alone = self._interval[place] == 1
        return Parts(outcome.mean_ms if alone else np.nan, np.nan if alone else outcome.mean_ms, 24, 24)

    @staticmethod
    def _times(
        times: Times, known: Sequence[tuple[int, float, int]], middle: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        table = np.array([row for row in known if row[1] > 0], np.float64).reshape(-1, 3)
        return times.guess(table[:, 0].astype(np.intp), table[:, 1], table[:, 2], middle)


def _threads_line(settings: Sequence[Setting]) -> Callable[[str], float]:
    most = 2.0 * max((one.threads or 1 for one in settings), default=1)
    return lambda text: float(np.log(most if text == ALL_THREADS else float(text)))
