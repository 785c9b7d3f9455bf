"""Which pair of a clip is trained on: how far the frame is behind its keyframe."""

from collections.abc import Callable, Sequence

import numpy as np

from edge_arseg.training.lr.settings import Distances

DistanceChoice = Callable[[float, Sequence[int], np.random.Generator], int]
"""``(share of the run that is done, distances of the clip's pairs, random) -> place among them``."""


def fixed_distance(done: float, distances: Sequence[int], random: np.random.Generator) -> int:
    """Choose the largest distance, as the authors trained."""
    return int(np.argmax(distances))


def random_distance(done: float, distances: Sequence[int], random: np.random.Generator) -> int:
    """Choose any, each as often."""
    return int(random.integers(len(distances)))


def growing_distance(done: float, distances: Sequence[int], random: np.random.Generator) -> int:
    """Choose any of the shortest, at first one and after a third of the run all."""
    order = np.argsort(distances, kind="stable")
    allowed = 1 + int(min(1.0, 3.0 * done) * (len(distances) - 1))
    return int(order[int(random.integers(allowed))])


DISTANCE_CHOICES: dict[str, DistanceChoice] = {
    Distances.RANDOM: random_distance,
    Distances.FIXED: fixed_distance,
    Distances.GROWING: growing_distance,
}
"""By name."""
