"""Views of training pairs by number, and batches of them."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch

from edge_arseg.training.lr.augmentation import PairView, view_from_pair
from edge_arseg.training.lr.distances import DistanceChoice
from edge_arseg.training.lr.fst import PairBatch
from edge_arseg.training.lr.settings import PairAugmentation
from edge_arseg.training.pairs.pair import Pair
from edge_arseg.training.run.views import Views, batches


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


class PairViews(Views):
    """Views of pairs, labelled by people or by the HR branch.

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
        super().__init__(seed=seed, first=first, last=last)
        self.labelled, self.unlabelled = labelled, unlabelled
        self.unlabelled_share = 0.0 if unlabelled is None else 1.0 if labelled is None else unlabelled_share
        self.distance, self.augmentation = distance, augmentation

    def view(
        self, number: int, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, bool]:
        """Return the columns of a ``PairBatch`` for view ``number``."""
        by_teacher = bool(random.random() < self.unlabelled_share)
        source = self.unlabelled if by_teacher else self.labelled
        assert source is not None
        clip = self.shuffled(number, len(source.clips))
        i = self.distance(number / self.last, source.clips[clip].distances, random)
        view = view_from_pair(source.pair(clip, i), self.augmentation, random)
        return view.keyframe, view.frame, view.flow, view.label, by_teacher


def pair_batches(views: PairViews, batch: int, *, workers: int) -> Iterator[PairBatch]:
    """Batches of views in order, made ahead in ``workers`` processes."""
    return (PairBatch(*columns) for columns in batches(views, batch, workers=workers))


def batch_from_views(views: Sequence[PairView]) -> PairBatch:
    """Stack labelled views of one size."""
    keyframes, frames, flows, labels = (
        torch.from_numpy(np.stack([getattr(view, name) for view in views])) for name in PairView.__slots__
    )
    return PairBatch(keyframes, frames, flows, labels, torch.zeros(len(views), dtype=torch.bool))
