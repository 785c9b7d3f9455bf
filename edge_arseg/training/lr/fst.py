"""Feature-similarity training of the LR branch (AR-Seg, section 3.3).

The fused feature has to give the labels, and to resemble the HR branch's feature of the same frame. It is classified
by the HR branch's own last convolution, frozen. Nothing of the HR branch is trained.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from edge_arseg.network.layers import resize
from edge_arseg.network.network import Network
from edge_arseg.spec.model import lr_size
from edge_arseg.training.lr.ablation import FusionChoice
from edge_arseg.training.lr.settings import Fst
from edge_arseg.training.run.losses import class_divergence, confident_labels, feature_difference


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Pairs of one size.

    Attributes:
        keyframes: ``[N, H, W, 3] uint8``, RGB; ``frames`` likewise.
        flows: ``[N, ceil(H / 4), ceil(W / 4), 2] float32``, pixels, x then y, frames to keyframes.
        labels: of the frames, ``[N, H, W] uint8``, 255 ignored.
        unlabelled: ``[N] bool``; the labels of these are to come from the HR branch.
    """

    keyframes: Tensor
    frames: Tensor
    flows: Tensor
    labels: Tensor
    unlabelled: Tensor

    def to(self, device: torch.device) -> "PairBatch":
        """Return the same on ``device``."""
        return PairBatch(*(getattr(self, name).to(device) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class FeatureLoss:
    """What FST adds to the task loss.

    Attributes:
        measure: ``(network, fused feature, HR feature) -> scalar``.
        weight: its factor (the paper's lambda).
    """

    measure: Callable[[Network, Tensor, Tensor], Tensor]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Supervision:
    """What teaches the LR branch; the rows of the paper's Table 3.

    Attributes:
        feature_loss: ``None`` for the task loss alone.
        shared_classifier: the classifier is the HR branch's, frozen; else a copy of it that is trained.
    """

    feature_loss: FeatureLoss | None
    shared_classifier: bool


def squared_difference(network: Network, fused: Tensor, target: Tensor) -> Tensor:
    """Compare features by their mean squared difference."""
    return feature_difference(fused, target)


def class_difference(network: Network, fused: Tensor, target: Tensor) -> Tensor:
    """Compare the classes that the two features give."""
    return class_divergence(network.lr_head.classifier(fused), network.hr_head.classifier(target))


SUPERVISIONS: dict[str, Supervision] = {
    Fst.FULL: Supervision(FeatureLoss(squared_difference), True),
    Fst.NONE: Supervision(None, False),
    Fst.MSE: Supervision(FeatureLoss(squared_difference), False),
    Fst.SHARED_CLASSIFIER: Supervision(None, True),
    Fst.KL: Supervision(FeatureLoss(class_difference), True),
}
"""By name: MSE and shared classifier, neither, MSE alone, shared classifier alone, KL in the place of MSE."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one step is taken.

    Attributes:
        lr_scale: size of the LR branch's image.
        supervision: what teaches.
        fusion: which parts of CReFF are used.
        task: ``(scores [N, classes, h, w], labels [N, H, W] int64) -> scalar``; brings both to one size.
        confidence: least probability of a class for the HR branch to label a pixel of an unlabelled frame.
        bfloat16: the branches multiply in bfloat16; the fusion and the losses never do.
    """

    lr_scale: float
    supervision: Supervision
    fusion: FusionChoice
    task: Callable[[Tensor, Tensor], Tensor]
    confidence: float = 0.9
    bfloat16: bool = True


@dataclass(frozen=True, slots=True)
class FstLosses:
    """Scalars of one batch: ``total = task + weight * feature``; ``feature`` is 0 where it is not used."""

    total: Tensor
    task: Tensor
    feature: Tensor


def fst_losses(network: Network, batch: PairBatch, recipe: Recipe) -> FstLosses:
    """Compute the losses of a batch; the gradient of ``total`` reaches LR branch, CReFF and a free classifier alone.

    Args:
        network: HR branch in ``eval`` mode, LR branch in ``train`` mode.
        batch: the pairs.
        recipe: how.
    """
    frames = network.images_from_frames(batch.frames)
    size = (frames.shape[2], frames.shape[3])
    key_feature, target, labels = _teaching(network, batch, frames, recipe)
    small = resize(frames, lr_size(*size, recipe.lr_scale), align_corners=True)
    with _precision(recipe, small):
        lr_feature = network.lr(small)
    fused = recipe.fusion.fused(network.creff, key_feature, batch.flows, lr_feature.float(), size[0])
    task = recipe.task(network.lr_head.scores(fused, None), labels)
    loss = recipe.supervision.feature_loss
    if loss is None:
        return FstLosses(task, task.detach(), torch.zeros_like(task))
    feature = loss.measure(network, fused, target)
    return FstLosses(task + loss.weight * feature, task.detach(), feature.detach())


def _teaching(network: Network, batch: PairBatch, frames: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor, Tensor]:
    """Run the HR branch; return its features of keyframes and frames, and the labels with those it adds."""
    size = (frames.shape[2], frames.shape[3])
    with torch.no_grad():
        both = frames
        if recipe.fusion.uses_keyframe:
            both = torch.cat([frames, network.images_from_frames(batch.keyframes)])
        with _precision(recipe, both):
            features = network.hr(both.contiguous(memory_format=torch.channels_last))
        target = features[: len(frames)].float()
        key_feature = features[len(frames) :].float() if recipe.fusion.uses_keyframe else target
        labels = batch.labels.long()
        if bool(batch.unlabelled.any()):
            pseudo_labels = confident_labels(network.hr_head(target, size, size), recipe.confidence)
            labels = torch.where(batch.unlabelled[:, None, None], pseudo_labels, labels)
    return key_feature, target, labels


def _precision(recipe: Recipe, like: Tensor) -> torch.autocast:
    return torch.autocast(like.device.type, torch.bfloat16, enabled=recipe.bfloat16)
