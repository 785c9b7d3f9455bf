"""What an LR training reads: pairs to train on, pairs to score on, weights of the classes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor

from edge_arseg.errors import DataError
from edge_arseg.network.network import Network, check_sizes
from edge_arseg.training.lr.views import JoinedPairs, PairSource
from edge_arseg.training.pairs.pair import Pair
from edge_arseg.training.pairs.store import PairStore
from edge_arseg.training.run.losses import class_weights

WEIGHED_LABELS = 400
"""Labels from which the shares of the classes are counted."""


@dataclass(frozen=True, slots=True)
class LrPairs:
    """The data of a run.

    Attributes:
        labelled: pairs with labels; ``None`` for none.
        unlabelled: pairs that the HR branch labels; ``None`` for none.
        held_back: pairs to score on, never trained.
        weights: of the classes, ``[classes] float32``.
        sha256: digest of what is in the stores.
    """

    labelled: PairSource | None
    unlabelled: PairSource | None
    held_back: Sequence[Pair]
    weights: Tensor
    sha256: str

    @property
    def source(self) -> PairSource:
        """Pairs to measure features on."""
        source = self.labelled or self.unlabelled
        assert source is not None
        return source

    @property
    def count(self) -> int:
        """Clips to train on."""
        return sum(len(source.clips) for source in (self.labelled, self.unlabelled) if source is not None)


def pairs_from_stores(
    network: Network, labelled: Path | None, unlabelled: Sequence[Path], *, lr_scale: float, score_pairs: int
) -> LrPairs:
    """Open the stores, and check that they fit the network and each other.

    Without labelled pairs, the held-back ones are scored against what the HR branch says.

    Args:
        network: that is to be trained, in ``eval`` mode.
        labelled: a store; its part ``held_back`` is scored on.
        unlabelled: stores; labels in them are not read.
        lr_scale: size of the LR branch's image.
        score_pairs: how many held-back pairs are scored, at most.

    Raises:
        DataError: not a store; other classes than the network's; stores of different sizes. All in one message.
        OptionError: frames too small for the network.
    """
    train, parts = _opened(labelled, unlabelled, "train")
    held_back, others = _opened(labelled, unlabelled, "held_back")
    digest = sha256("\n".join(store.sha256() for store in (*parts, *others)).encode()).hexdigest()
    _check(network, parts, [labelled] if labelled else [])
    check_sizes(network, height=parts[0].height, width=parts[0].width, lr_scale=lr_scale)
    classes = len(network.model.classes)
    first = train[0]
    if first is None:
        assert held_back[1] is not None
        device = next(network.parameters()).device
        scored = taught_pairs(network, spread_pairs(held_back[1], score_pairs), device)
        return LrPairs(None, train[1], scored, class_weights((), classes), digest)
    assert held_back[0] is not None
    labels = (pair.label for pair in spread_pairs(first, WEIGHED_LABELS))
    return LrPairs(first, train[1], spread_pairs(held_back[0], score_pairs), class_weights(labels, classes), digest)


def _opened(
    labelled: Path | None, unlabelled: Sequence[Path], part: str
) -> tuple[tuple[PairSource | None, PairSource | None], list[PairStore]]:
    """The labelled pairs and the others of one part, and all their stores."""
    with_labels = PairStore(labelled, part=part) if labelled else None
    without = [PairStore(path, part=part, labelled=None) for path in unlabelled]
    stores = [*([with_labels] if with_labels else []), *without]
    return (with_labels, JoinedPairs(without) if without else None), stores


def _check(network: Network, stores: Sequence[PairStore], labelled: Sequence[Path]) -> None:
    """Refuse stores that do not fit."""
    faults = [
        f"{store.path}: classes {_names(store.classes)} seen, the model's {_names(network.model.classes)} expected"
        for store in stores
        if store.path in labelled and store.classes != network.model.classes
    ]
    first = stores[0]
    size = (first.height, first.width)
    faults += [
        f"{store.path}: frames of {store.height}x{store.width} seen, those of {first.path} are {size[0]}x{size[1]}"
        for store in stores[1:]
        if (store.height, store.width) != size
    ]
    if faults:
        raise DataError("these pairs cannot be trained on\n  " + "\n  ".join(faults))


def _names(classes: Sequence[object]) -> str:
    return ", ".join(str(getattr(info, "name", info)) for info in classes)


def spread_pairs(source: PairSource, count: int) -> list[Pair]:
    """Choose up to ``count`` pairs, spread evenly over clips, and over the distances of each."""
    clips = len(source.clips)
    rounds = min(-(-count // clips), max(len(clip.distances) for clip in source.clips))
    places: list[tuple[int, int]] = []
    for turn in range(rounds):
        clips_left = min(clips, count - turn * clips)
        for place in range(clips_left):
            clip = place * clips // clips_left
            distances = len(source.clips[clip].distances)
            if turn < distances:
                step = max(1, distances // rounds)
                places.append((clip, ((place if rounds == 1 else clip) + turn * step) % distances))
    return [source.pair(clip, i) for clip, i in places]


@torch.inference_mode()
def taught_pairs(network: Network, pairs: Sequence[Pair], device: torch.device) -> list[Pair]:
    """Replace the labels of pairs by what the HR branch, in ``eval`` mode, says about their frames."""
    network.to(device)
    labels = (network.hr_logits(torch.from_numpy(pair.frame).to(device))[0].argmax(0) for pair in pairs)
    return [replace(pair, label=label.to(torch.uint8).cpu().numpy()) for pair, label in zip(pairs, labels, strict=True)]
