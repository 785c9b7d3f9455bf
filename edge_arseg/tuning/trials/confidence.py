"""How sure mIoU is, and a difference of two: labelled frames are drawn again and again (bootstrap)."""

import numpy as np
from numpy.typing import NDArray

from edge_arseg.evaluation.confusion import mean_iou, mean_or_nan
from edge_arseg.tuning.trials.scoring import FrameScores

TIMES = 200
LEVEL = (2.5, 97.5)


def interval_of_miou(scores: FrameScores) -> tuple[float, float]:
    """Return the 95 % interval of mIoU, per cent; ``nan`` twice where there are fewer than two frames."""
    frames = np.unique(scores.frames)
    if len(frames) < 2:
        return float("nan"), float("nan")
    values = [_miou(scores, draw[np.searchsorted(frames, scores.frames)]) for draw in _draws(len(frames))]
    if np.isnan(values).all():  # no label has a class
        return float("nan"), float("nan")
    low, high = np.nanpercentile(values, LEVEL)
    return float(low), float(high)


def surely_worse(scores: FrameScores, other: FrameScores) -> bool:
    """Whether mIoU is below that of another setting, by more than the choice of frames explains.

    Both are drawn on the same frames, those that both have: what is hard for one is hard for the other.
    """
    common = np.intersect1d(scores.frames, other.frames)
    if len(common) < 2:
        return False
    one, two = _only(scores, common), _only(other, common)
    places = [np.searchsorted(common, some.frames) for some in (one, two)]
    differences = [_miou(one, draw[places[0]]) - _miou(two, draw[places[1]]) for draw in _draws(len(common))]
    return not np.isnan(differences).all() and bool(np.nanpercentile(differences, LEVEL[1]) < 0)


def _only(scores: FrameScores, frames: NDArray[np.int64]) -> FrameScores:
    wanted = np.isin(scores.frames, frames)
    return FrameScores(scores.frames[wanted], scores.distances[wanted], scores.confusions[wanted])


def _draws(count: int) -> NDArray[np.float64]:
    """Return ``[TIMES, count]``: how often each frame is drawn; always the same draws."""
    chosen = np.random.default_rng(0).integers(0, count, (TIMES, count))
    return np.array([np.bincount(draw, minlength=count) for draw in chosen], np.float64)


def _miou(scores: FrameScores, weights: NDArray[np.float64]) -> float:
    found = [mean_iou(confusion) for confusion in scores.by_distance(weights)]
    return 100.0 * mean_or_nan(np.array(found))
