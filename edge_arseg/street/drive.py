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
    *, size: tuple[int, int] = (360, 480), count: int = 120, rate: float = 15.0, seed: int = 1, loop: int = 0
) -> Iterator[Scene]:
    """Drive down a street; the same arguments give the same scenes, and ``rate`` only says how often one looks.

    Args:
        size: rows and columns.
        count: how many scenes.
        rate: scenes per second.
        seed: which street.
        loop: scenes that are rendered, and then shown there and back; 0: every scene is rendered.

    Raises:
        OptionError: a value is out of range; see ``StreetOptions``.
    """
    options = checked(StreetOptions(size=size, count=count, rate=rate, seed=seed, loop=loop))
    return _scenes(options)


def _scenes(options: StreetOptions) -> Iterator[Scene]:
    seed = options["seed"]
    painter = Painter(options["size"], seed)
    rendered: list[Scene] = []
    for index in range(options["count"]):
        time_s = index / options["rate"]
        place = _there_and_back(index, options["loop"])
        if place < len(rendered):
            same = rendered[place]
            yield Scene(index, time_s, same.rgb.copy(), same.labels.copy())
            continue
        rgb, labels = painter.paint(pose_at(seed, time_s), *objects_at(seed, time_s))
        if options["loop"]:
            rendered.append(Scene(index, time_s, rgb.copy(), labels.copy()))
        yield Scene(index, time_s, rgb, labels)


def _there_and_back(index: int, loop: int) -> int:
    """Return which of ``loop`` scenes comes at an index: 0, 1, 2, 1, 0, 1, ... of three."""
    if not loop:
        return index
    place = index % (2 * loop - 2)
    return min(place, 2 * loop - 2 - place)


def frames_from_street(
    *, size: tuple[int, int] = (360, 480), count: int = 120, rate: float = 15.0, seed: int = 1, loop: int = 0
) -> Iterator[Frame]:
    """Drive down a street without labels; arguments and errors as for ``scenes_from_street``."""
    scenes = scenes_from_street(size=size, count=count, rate=rate, seed=seed, loop=loop)
    return (Frame(scene.index, scene.time_s, scene.rgb) for scene in scenes)
