"""Losses: of the labels, for both branches, and of what the HR branch teaches the LR branch."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edge_arseg.evaluation.labels.files import IGNORED
from edge_arseg.network.layers import resize


def class_weights(labels: Iterable[np.ndarray], classes: int, *, balance: float = 0.5) -> Tensor:
    """Weight of each class, ``1 / ln(1.1 + share of the pixels) ** balance``; by default the root.

    That is the square root of ENet's weights (Paszke et al. 2016, with 1.1 for 1.02). The full ones make a net see rare
    classes where they are not: taking half of their logarithm off the scores of a net that was trained with them gave
    0.7 mIoU more on 18 of CamVid's held-back training images and on trained ones. An earlier part of its training
    had seen the 18, so this is a hint.

    Args:
        labels: each ``[H, W] uint8``; values from ``classes`` up do not count.
        classes: how many there are.
        balance: exponent; 0 weighs all classes alike, 1 is ENet's.

    Returns:
        ``[classes] float32``.
    """
    counts = np.zeros(256, np.int64)
    for label in labels:
        counts += np.bincount(label.ravel(), minlength=256)
    share = counts[:classes] / max(1, counts[:classes].sum())
    return torch.from_numpy(np.log(1.1 + share) ** -balance).float()


def task_loss(scores: Tensor, label: Tensor, weights: Tensor, *, overlap: float = 0.0, boundary: float = 0.0) -> Tensor:
    """Cross entropy of the classes plus the overlap loss, at half the label's size: a quarter of the cost, same scores.

    Args:
        scores: ``[N, classes, h, w]``, of any size.
        label: ``[N, H, W] int64``, 255 ignored.
        weights: ``[classes]``, of the cross entropy, which is the weighted mean over the pixels that count.
        overlap: factor of the overlap loss.
        boundary: how much more a pixel beside another class counts; thin things are all boundary.

    Returns:
        A number; 0 where no pixel counts.
    """
    size = (-(-label.shape[1] // 2), -(-label.shape[2] // 2))
    # The same align_corners as the head; otherwise thin objects shift against the labels.
    scores = resize(scores.float(), size, align_corners=True)
    label = label[:, ::2, ::2]
    counted = label != IGNORED
    share = weights[label.clamp(max=len(weights) - 1)] * counted
    if boundary:
        share = share * (1.0 + boundary * on_boundary(label))
    total = (F.cross_entropy(scores, label, ignore_index=IGNORED, reduction="none") * share).sum()
    loss = total / share.sum().clamp(min=1.0)
    return loss + overlap * overlap_loss(scores, label) if overlap else loss


def on_boundary(label: Tensor) -> Tensor:
    """Return which pixels of ``[N, H, W] int64`` have another class among their eight neighbours; no ignored one has.

    Returns:
        ``[N, H, W] bool``.
    """
    counted, values = label != IGNORED, label.float()
    highest = F.max_pool2d(values.where(counted, torch.tensor(-1.0)), 3, 1, 1)
    lowest = -F.max_pool2d(-values.where(counted, torch.tensor(256.0)), 3, 1, 1)
    return (highest != lowest) & counted


def overlap_loss(scores: Tensor, label: Tensor) -> Tensor:
    """One minus the soft Jaccard index (Rahman and Wang 2016), mean over the classes that the batch shows.

    Cross entropy counts pixels, mIoU counts classes: this is mIoU with probabilities in the place of choices, so a
    class of few pixels weighs as much as the road.

    Args:
        scores: ``[N, classes, H, W]``.
        label: ``[N, H, W] int64``, 255 ignored.

    Returns:
        A number from 0 to 1; 0 where no pixel counts.
    """
    classes = scores.shape[1]
    counted = (label != IGNORED)[:, None]
    probability = scores.softmax(1) * counted
    truth = F.one_hot(label.clamp(max=classes - 1), classes).movedim(-1, 1).to(scores.dtype) * counted
    both = (probability * truth).sum((0, 2, 3))
    true = truth.sum((0, 2, 3))
    index = both / (probability.sum((0, 2, 3)) + true - both).clamp(min=1.0)
    shown = true > 0
    return ((1.0 - index) * shown).sum() / shown.sum().clamp(min=1)


def feature_difference(feature: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference of two ``[N, C, h, w]`` features: the feature loss of FST (AR-Seg, section 3.3)."""
    return F.mse_loss(feature, target)


def class_divergence(scores: Tensor, target: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the classes of ``scores`` from those of ``target``, mean over pixels.

    The paper compares its feature loss with "KL" and does not say between what; here it is between the classes that
    the classifier gives (``[N, classes, h, w]`` both), as in distillation (Hinton et al. 2015).
    """
    divergence = F.kl_div(F.log_softmax(scores, 1), F.log_softmax(target, 1), reduction="none", log_target=True)
    return divergence.sum(1).mean()


def confident_labels(logits: Tensor, least: float) -> Tensor:
    """Label the pixels that a teacher is sure of.

    Args:
        logits: ``[N, classes, H, W]``.
        least: probability that the best class must have.

    Returns:
        ``[N, H, W] int64``, 255 where no class reaches it.
    """
    best, label = torch.softmax(logits, 1).max(1)
    return torch.where(best >= least, label, IGNORED)
