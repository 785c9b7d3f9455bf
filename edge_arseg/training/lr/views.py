"""Views of training pairs by number, and batches of them."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from edge_arseg.training.lr.augmentation import PairAugmentation, PairView
from edge_arseg.training.lr.distances import DistanceChoice
from edge_arseg.training.lr.fst import PairBatch
from edge_arseg.training.pairs.pair import Pair


class Clip(Protocol):
    """A keyframe and frames behind it."""

    @property
    def distances(self) -> tuple[int, ...]:
        """Distances of its pairs."""


class PairSource(Protocol):
    """Clips of pairs; ``PairStore`` is one."""

    @property
    def clips(self) -> Sequence[Clip]:
        """All clips."""

    def pair(self, clip: int, i: int) -> Pair:
        """Return pair ``i`` of a clip."""


class JoinedPairs:
    """Several sources as one.

    Attributes:
        clips: of all sources, one behind the other.
    """

    def __init__(self, sources: Sequence[PairSource]):
        self.clips = [clip for source in sources for clip in source.clips]
        self._places = [(source, clip) for source in sources for clip in range(len(source.clips))]

    def pair(self, clip: int, i: int) -> Pair:
        """Return pair ``i`` of a clip."""
        source, place = self._places[clip]
        return source.pair(place, i)


class PairViews(Dataset):
    """Views by number. View ``n`` depends on the seed and on ``n`` alone, so that a run can go on anywhere.

    Args:
        labelled: pairs with labels; each clip is seen once before any is seen again. May be empty.
        unlabelled: pairs whose labels the HR branch gives. May be empty.
        unlabelled_share: of the views, where there are both.
        distance: which pair of a clip.
        augmentation: of the views.
        seed: of all that is random.
        first: number of the first view; ``last``: one behind the last of the whole run.
    """

    def __init__(
        self,
        labelled: PairSource | None,
        unlabelled: PairSource | None,
        *,
        unlabelled_share: float,
        distance: DistanceChoice,
        augmentation: PairAugmentation,
        seed: int,
        first: int,
        last: int,
    ):
        self.labelled, self.unlabelled = labelled, unlabelled
        self.unlabelled_share = 0.0 if unlabelled is None else 1.0 if labelled is None else unlabelled_share
        self.distance, self.augmentation = distance, augmentation
        self.seed, self.first, self.last = seed, first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, bool]:
        number = self.first + index
        random = np.random.default_rng((self.seed, number))
        by_teacher = bool(random.random() < self.unlabelled_share)
        source = self.unlabelled if by_teacher else self.labelled
        assert source is not None
        epoch, place = divmod(number, len(source.clips))
        order = np.random.default_rng((self.seed, 1 << 32, epoch)).permutation(len(source.clips))
        clip = int(order[place])
        i = self.distance(number / self.last, source.clips[clip].distances, random)
        view = self.augmentation.view(source.pair(clip, i), random)
        return view.keyframe, view.frame, view.flow, view.label, by_teacher


def batches(views: PairViews, batch: int, *, workers: int) -> Iterator[PairBatch]:
    """Batches of views in order, made ahead in ``workers`` processes."""
    loader = DataLoader(
        views,
        batch,
        num_workers=workers,
        drop_last=True,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_quiet_worker,
    )
    return (PairBatch(*columns) for columns in loader)


def batch_from_views(views: Sequence[PairView]) -> PairBatch:
    """Stack labelled views of one size."""
    keyframes, frames, flows, labels = (
        torch.from_numpy(np.stack([getattr(view, name) for view in views])) for name in PairView.__slots__
    )
    return PairBatch(keyframes, frames, flows, labels, torch.zeros(len(views), dtype=torch.bool))


def _quiet_worker(_: int) -> None:
    torch.set_num_threads(1)
