"""The colours of a model's classes."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.model import ClassInfo
from edge_arseg.video.overlay.palette.lab import distances
from edge_arseg.video.overlay.palette.named import NAMED, SAME
from edge_arseg.video.overlay.palette.vision import Vision, lab_seen

_STEPS: Final = (15, 63, 111, 159, 207, 255)
_OTHERS_WEIGHT: Final = 1.6
"""A distance for the colour-blind counts this much more than the same for normal vision: theirs are always smaller."""


def colors_of_classes(classes: Sequence[ClassInfo], palette: str) -> NDArray[np.uint8]:
    """Return the colours by class index, ``[N, 3] uint8``.

    In ``contrast`` a class of a street has the colour of its name, whatever the bundle says. Any other class gets the
    colour that is farthest from all that are taken, for normal and for colour-blind people; so the same classes have
    the same colours in every run. Two classes share a colour only where there are more than 216.

    Args:
        classes: of the model.
        palette: ``contrast`` or ``dataset``, see ``OverlayStyle``.
    """
    if palette == "dataset":
        return np.array([info.color for info in classes], np.uint8).reshape(-1, 3)
    names = [_plain(info.name) for info in classes]
    chosen: list[tuple[int, int, int] | None] = []
    for name in names:
        color = NAMED.get(SAME.get(name, name))
        chosen.append(None if color in chosen else color)
    free = iter(_far_from(tuple(color for color in chosen if color is not None), chosen.count(None)))
    return np.array([color or next(free) for color in chosen], np.uint8).reshape(-1, 3)


def _plain(name: str) -> str:
    return "_".join(name.lower().replace("-", " ").replace("_", " ").split())


@lru_cache(maxsize=8)
def _far_from(taken: tuple[tuple[int, int, int], ...], count: int) -> list[tuple[int, int, int]]:
    """Return colours that are far from those taken and from each other, the farthest first."""
    if not count:
        return []
    offered = np.array([(r, g, b) for r in _STEPS for g in _STEPS for b in _STEPS], np.uint8)
    seen = {vision: lab_seen(offered, vision) for vision in Vision}

    def nearness(colors: NDArray[np.uint8]) -> NDArray[np.float64]:
        apart = [
            distances(lab, lab_seen(colors, vision)).min(1) * (1.0 if vision is Vision.NORMAL else _OTHERS_WEIGHT)
            for vision, lab in seen.items()
        ]
        return np.min(apart, 0)

    # The dark ones hide the picture under them: black is taken from the start.
    least = nearness(np.array([(0, 0, 0), *taken], np.uint8))
    found: list[tuple[int, int, int]] = []
    for _ in range(count):
        color = offered[int(least.argmax())]
        found.append((int(color[0]), int(color[1]), int(color[2])))
        least = np.minimum(least, nearness(color[None]))
    return found
