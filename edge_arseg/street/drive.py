"""The drive: one scene after the other."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge_arseg.spec.frame import Frame
from edge_arseg.street.options import StreetOptions, checked
from edge_arseg.street.painter import Painter
from edge_arseg.street.traffic import objects_at, pose_at


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment of a drive.

    Attributes:
        index: counts from 0.
        time_s: ``index / rate``.
        rgb: ``[H, W, 3] uint8``.
        labels: ``[H, W] uint8``, indices of ``CAMVID_11``: the class that covers most of the pixel. Railings and fences
            are labelled as a whole, bars and what is between, as people label them.
    """

    index: int
    time_s: float
    rgb: np.ndarray
    labels: np.ndarray


def scenes_from_street(
    *, size: tuple[int, int] = (360, 480), count: int = 120, rate: float = 15.0, seed: int = 1
) -> Iterator[Scene]:
    """Drive down a street; the same arguments give the same scenes, and ``rate`` only says how often one looks.

    Args:
        size: rows and columns.
        count: how many scenes.
        rate: scenes per second.
        seed: which street.

    Raises:
        OptionError: a value is out of range; see ``StreetOptions``.
    """
    options = checked(StreetOptions(size=size, count=count, rate=rate, seed=seed))
    return _scenes(options)


def _scenes(options: StreetOptions) -> Iterator[Scene]:
    seed = options["seed"]
    painter = Painter(options["size"], seed)
    for index in range(options["count"]):
        time_s = index / options["rate"]
        rgb, labels = painter.paint(pose_at(seed, time_s), *objects_at(seed, time_s))
        yield Scene(index, time_s, rgb, labels)


def frames_from_street(
    *, size: tuple[int, int] = (360, 480), count: int = 120, rate: float = 15.0, seed: int = 1
) -> Iterator[Frame]:
    """Drive down a street without labels; arguments and errors as for ``scenes_from_street``."""
    scenes = scenes_from_street(size=size, count=count, rate=rate, seed=seed)
    return (Frame(scene.index, scene.time_s, scene.rgb) for scene in scenes)
