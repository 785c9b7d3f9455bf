"""Labelled stills in memory, and views of them by number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from edge_arseg.errors import OptionError
from edge_arseg.street import scenes_from_street
from edge_arseg.training.datasets.dataset import LabelledImage
from edge_arseg.training.hr.augmentation import StillAugmentation


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


class StillViews(Dataset):
    """Views by number. View ``n`` depends on the seed and on ``n`` alone, so that a run can go on anywhere."""

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
        self.stills, self.rendered = stills, rendered
        self.augmentation = augmentation
        self.rendered_share = rendered_share if rendered else 0.0
        self.seed, self.first, self.last = seed, first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        number = self.first + index
        random = np.random.default_rng((self.seed, number))
        if random.random() < self.rendered_share:
            still = self.rendered[int(random.integers(len(self.rendered)))]
        else:
            epoch, place = divmod(number, len(self.stills))
            order = np.random.default_rng((self.seed, 1 << 32, epoch)).permutation(len(self.stills))
            still = self.stills[int(order[place])]
        return self.augmentation.view(still.rgb, still.label, random)


def batches(views: StillViews, batch: int, *, workers: int) -> DataLoader:
    """Batches of views in order, ``[N, h, w, 3] uint8`` and ``[N, h, w] uint8``; ``workers`` processes make them."""
    return DataLoader(
        views,
        batch,
        num_workers=workers,
        drop_last=True,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_quiet_worker,
        generator=torch.Generator(),  # a loader draws from it when it starts: the run's own must not notice
    )


def _quiet_worker(_: int) -> None:
    torch.set_num_threads(1)


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
    if min(crop) < 32 or crop[0] % 2 or crop[1] % 2:
        raise OptionError(f"views of {crop[0]}x{crop[1]} seen, expected even sides of 32 or more, like --crop 288x384")
    return crop
