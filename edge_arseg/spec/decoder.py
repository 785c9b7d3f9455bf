"""The classifier behind the LR branch and the fusion, for kernels that take the place of the ``head`` graphs."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class DecoderWeights:
    """Weights of the 1x1 convolution that turns a fused or an LR feature into scores, float32.

    Attributes:
        weight: ``[classes, C]``.
        bias: ``[classes]``.
    """

    weight: np.ndarray
    bias: np.ndarray
