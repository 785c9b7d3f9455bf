"""One quantity before and after, cut into pairs that were measured side by side.

Other programs only ever make a stage slower, for a while. So a stage is judged by its fastest 5 % of frames, which
nothing disturbed: that level spreads less than the median, on a busy machine a third as much. What all frames cost is
judged by the median.

Where a process put its memory changes its stages by some per cent, for as long as it lives, and a minute later the
machine is another one; no length of a record tells that from a change of the code. Eight pairs of records or more
spread by it, and their bounds have it. Fewer do not, and get it added. The same holds of two runs of a record if the
same one was opened first in every record: what is opened first lies better.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.compare.signed_ranks import bounds, middle

FAST = 0.05
"""Share of the frames that are faster than what a stage is judged by."""
BLOCKS = 24
"""Pairs that two runs are cut into, where they have as many GOPs."""
FEWEST = 8
"""Pairs of records from which on they are what is compared, and no longer blocks inside."""
PLACEMENT = {"lr": (0.05, 0.08), "hr": (0.10, 0.12), "keyframes of ar": (0.15, 0.20)}
"""Standard deviation of the logarithm of a time in one opening of a bundle over that in another one: of the same
process, which took turns with it; and of two processes, one after the other. Memory of keyframes rests while LR frames
run."""


@dataclass(frozen=True, slots=True)
class Times:
    """One quantity of the frames of one run.

    Attributes:
        ms: ``[N]`` float64, milliseconds; at least one.
        gop, turn: ``[N]`` whole numbers, in order of time: to which GOP and which turn each frame belongs.
        share: of the frames that are faster than what stands for all of them; 0.5: the median.
    """

    ms: NDArray[np.float64]
    gop: NDArray[np.int64]
    turn: NDArray[np.int64]
    share: float = FAST

    @property
    def level(self) -> float:
        """What stands for all frames, milliseconds."""
        return float(np.quantile(self.ms, self.share))


@dataclass(frozen=True, slots=True)
class Ratio:
    """After over before.

    Attributes:
        value: the estimate; above 1: slower.
        low, high: bounds that hold with the asked-for confidence, each on its own.
        pairs: that were compared; where they are too few for the confidence, ``low``, ``high`` are 0 and infinity.
        placed: the bounds cover where a process puts its memory because pairs of records spread by it; if not, because
            it was added.
    """

    value: float
    low: float
    high: float
    pairs: int
    placed: bool


def ratio_of_times(
    before: Sequence[Times],
    after: Sequence[Times],
    *,
    together: bool,
    kind: str = "lr",
    one_order: bool = False,
    confidence: float = 0.95,
) -> Ratio:
    """Compare a quantity of the same run, measured once or several times.

    Args:
        before, after: as many of each; the first of one was measured beside the first of the other, and so on.
        together: both took turns in one record.
        kind: of frames, in ``PLACEMENT``.
        one_order: the same side was opened first in every record.
        confidence: of each bound.

    Raises:
        ValueError: none, or not as many.
    """
    if not before or len(before) != len(after):
        raise ValueError(f"{len(before)} and {len(after)} runs seen, expected pairs")
    placed = len(before) >= FEWEST and not one_order
    if placed:
        steps = np.array([_step(old, new) for old, new in zip(before, after, strict=True)])
    else:
        cut = -(-BLOCKS // len(before))
        steps = np.concatenate(
            [_steps_inside(old, new, cut, together=together) for old, new in zip(before, after, strict=True)]
        )
    value = middle(steps)
    low, high = bounds(steps, confidence)
    if not placed:
        more = NormalDist().inv_cdf(confidence) * PLACEMENT[kind][0 if together else 1] / np.sqrt(len(before))
        low, high = value - np.hypot(value - low, more), value + np.hypot(high - value, more)
    return Ratio(float(np.exp(value)), float(np.exp(low)), float(np.exp(high)), len(steps), placed)


def _step(old: Times, new: Times) -> float:
    return float(np.log(max(new.level, 1e-9) / max(old.level, 1e-9)))


def _steps_inside(old: Times, new: Times, blocks: int, *, together: bool) -> NDArray[np.float64]:
    """Return the steps of blocks of whole GOPs, of turns that were neighbours where both took as many."""
    olds, news = _turns(old), _turns(new)
    if not together or len(olds) != len(news):
        olds, news = [old], [new]
    inside = -(-blocks // len(olds))
    pairs = [
        pair
        for first, second in zip(olds, news, strict=True)
        for pair in zip(_blocks(first, inside), _blocks(second, inside), strict=False)
    ]
    return np.array([_step(*pair) for pair in pairs])


def _turns(times: Times) -> list[Times]:
    return [_part(times, times.turn == number) for number in np.unique(times.turn)]


def _blocks(times: Times, count: int) -> list[Times]:
    gops = np.unique(times.gop)
    return [_part(times, np.isin(times.gop, part)) for part in np.array_split(gops, min(count, len(gops)))]


def _part(times: Times, own: NDArray[np.bool_]) -> Times:
    return Times(times.ms[own], times.gop[own], times.turn[own], times.share)
