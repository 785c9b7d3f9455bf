"""Losses of both trainings."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from edge_arseg.evaluation.labels import IGNORED
from edge_arseg.network.layers import resize


def class_weights(labels: Iterable[np.ndarray], classes: int) -> Tensor:
    """Weight of each class, ``1 / sqrt(ln(1.1 + share of the pixels))``.

    That is the square root of ENet's weights (Paszke et al. 2016, with 1.1 for 1.02). The full ones make a net see rare
    classes where they are not: taking half of their logarithm off the scores of a net that was trained with them gave
    0.7 mIoU more on 18 of CamVid's held-back training images and on trained ones. An earlier part of its training
    had seen the 18, so this is a hint.

    Args:
        labels: each ``[H, W] uint8``; values from ``classes`` up do not count.
        classes: how many there are.

    Returns:
        ``[classes] float32``.
    """
    counts = np.zeros(256, np.int64)
    for label in labels:
        counts += np.bincount(label.ravel(), minlength=256)
    share = counts[:classes] / max(1, counts[:classes].sum())
    return torch.from_numpy(1.0 / np.sqrt(np.log(1.1 + share))).float()


def task_loss(scores: Tensor, label: Tensor, weights: Tensor) -> Tensor:
    """Cross entropy of the classes, at half the label's size, which costs a quarter and scores the same.

    Args:
        scores: ``[N, classes, h, w]``, of any size.
        label: ``[N, H, W] int64``, 255 ignored.
        weights: ``[classes]``.

    Returns:
        A number, the weighted mean over the pixels that count; 0 where none does.
    """
    size = (-(-label.shape[1] // 2), -(-label.shape[2] // 2))
    scores = resize(
        scores.float(), size, align_corners=True
    )  # as the head does, or its poles stand beside the true ones
    label = label[:, ::2, ::2]
    total = F.cross_entropy(scores, label, weight=weights, ignore_index=IGNORED, reduction="sum")
    counted = label != IGNORED
    norm = weights[label.clamp(max=len(weights) - 1)][counted].sum()
    return total / norm.clamp(min=1.0)
