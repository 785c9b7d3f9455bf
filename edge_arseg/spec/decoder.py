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

    def faults(self) -> list[str]:
        """Return what is not as described above, in words."""
        faults = []
        if self.weight.ndim != 2 or self.weight.dtype != np.float32:
            faults.append(f"weight: {self.weight.dtype}{list(self.weight.shape)} seen, float32[classes, C] expected")
        elif self.bias.shape != self.weight.shape[:1] or self.bias.dtype != np.float32:
            faults.append(f"bias: {self.bias.dtype}{list(self.bias.shape)} seen, float32[{len(self.weight)}] expected")
        return faults
