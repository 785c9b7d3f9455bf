"""What the HR branch teaches the LR branch: its features, its classes, and labels where nobody labelled."""

import torch
from torch import Tensor
from torch.nn import functional as F

from edge_arseg.evaluation.labels.files import IGNORED


def feature_difference(feature: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared difference of two ``[N, C, h, w]`` features: the feature loss of FST (AR-Seg, section 3.3)."""
    return F.mse_loss(feature, wanted)


def class_divergence(scores: Tensor, wanted: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the classes of ``scores`` from those of ``wanted``, mean over pixels.

    The paper compares its feature loss with "KL" and does not say between what; here it is between the classes that
    the decoder gives (``[N, classes, h, w]`` both), as in distillation (Hinton et al. 2015).
    """
    divergence = F.kl_div(F.log_softmax(scores, 1), F.log_softmax(wanted, 1), reduction="none", log_target=True)
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
