"""Labelled stills in memory, and views of them by number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_arseg.errors import MemoryExhaustedError, OptionError
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.street import scenes_from_street
from edge_arseg.training.datasets.dataset import LabelledImage
from edge_arseg.training.hr.augmentation import view_from_still
from edge_arseg.training.hr.settings import HrSettings, StillAugmentation
from edge_arseg.training.run.views import Views

MOST = 16384
"""Pixels of a side of a view, at most: what encoders take."""


@dataclass(frozen=True, slots=True)
class Still:
    """A labelled picture: ``rgb [H, W, 3] uint8`` and ``label [H, W] uint8``, 255 ignored."""

    rgb: np.ndarray
    label: np.ndarray


def stills_from_street(count: int, *, size: tuple[int, int], seed: int) -> list[Still]:
    """Render ``count`` pictures of the synthetic street, one a second from drives of ten, each on a street of its own.

    The streets with seeds 0 and 1, those of the demo, are never among them.
    """
    drives = (
        scenes_from_street(size=size, count=min(10, count - start), rate=1.0, seed=1000 * (seed + 1) + start)
        for start in range(0, count, 10)
    )
    return [Still(scene.rgb, scene.labels) for drive in drives for scene in drive]


class StillViews(Views):
    """Views of stills and of rendered pictures, ``[h, w, 3] uint8`` and ``[h, w] uint8`` each."""

    def __init__(
        self,
        stills: Sequence[Still],
        rendered: Sequence[Still],
        augmentation: StillAugmentation,
        *,
        rendered_share: float,
        seed: int,
        first: int,
        last: int,
    ):
        super().__init__(seed=seed, first=first, last=last)
        self.stills, self.rendered = stills, rendered
        self.augmentation = augmentation
        self.rendered_share = rendered_share if rendered else 0.0

    def view(self, number: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return view ``number``, of a rendered picture in its share of the cases."""
        if random.random() < self.rendered_share:
            still = self.rendered[int(random.integers(len(self.rendered)))]
        else:
            still = self.stills[self.shuffled(number, len(self.stills))]
        return view_from_still(still.rgb, still.label, self.augmentation, random)


def stills_from_images(images: Sequence[LabelledImage]) -> list[Still]:
    """Read labelled images into memory.

    Raises:
        DataError: one cannot be read.
    """
    return [Still(*image.read()) for image in images]


def checked_crop(crop: tuple[int, int]) -> tuple[int, int]:
    """Return the size of views if x264 can encode it: even sides, at least 32 pixels.

    Raises:
        OptionError: it cannot.
    """
    if not 32 <= min(crop) <= max(crop) <= MOST or crop[0] % 2 or crop[1] % 2:
        raise OptionError(
            f"views of {crop[0]}x{crop[1]} seen, expected even sides of 32 to {MOST}, like --crop 288x384"
        )
    return crop


def check_memory(count: int, size: tuple[int, int], settings: HrSettings, memory: HostMemory) -> None:
    """Refuse more pictures, or larger batches of views, than the memory of the machine holds.

    Args:
        count: of the pictures that are kept in memory, those of the street among them.
        size: rows and columns of one.
        settings: of the training.
        memory: of the machine; where it cannot be read, nothing is refused.

    Raises:
        MemoryExhaustedError: with what to do about it.
    """
    rows, columns = size
    pictures = count * rows * columns * 4  # three bytes of colour, and the label
    views = (
        settings.batch * settings.augmentation.crop[0] * settings.augmentation.crop[1] * 12
    )  # float32, three colours
    free = memory.available + memory.swap_free
    if memory.total and pictures + views > free:
        raise MemoryExhaustedError(
            f"{count} pictures of {rows}x{columns} take about {pictures / 1e9:.1f} GB of memory and {settings.batch} "
            f"views {views / 1e9:.1f} GB or more, {free / 1e9:.1f} GB are free; take smaller or fewer pictures, or "
            "less --street, --batch or --crop"
        )
