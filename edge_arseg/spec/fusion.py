"""CReFF's weights, for kernels that take the place of the ``fuse`` graph."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """Weights of the three depthwise 3x3 convolutions of CReFF, float32.

    Attributes:
        query_weight: ``[C, 1, 3, 3]``, applied to the upsampled LR feature.
        query_bias: ``[C]``.
        key_weight: ``[C, 1, 3, 3]``, applied to the warped keyframe feature.
        key_bias: ``[C]``.
        value_weight: ``[C, 1, 3, 3]``, applied to the warped keyframe feature.
        value_bias: ``[C]``.
    """

    query_weight: np.ndarray
    query_bias: np.ndarray
    key_weight: np.ndarray
    key_bias: np.ndarray
    value_weight: np.ndarray
    value_bias: np.ndarray
