"""CReFF's shapes and weights, for kernels that take the place of the ``fuse`` graph."""

from dataclasses import dataclass, field

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Manifest, Role

WINDOW = 7
"""Side of the attention's window."""
TAPS = 3
"""Side of the depthwise convolutions."""


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """Weights of CReFF, float32: three depthwise 3x3 convolutions, and what a place in the window is worth by itself.

    Attributes:
        query_weight: ``[C, 1, 3, 3]``, applied to the upsampled LR feature.
        query_bias: ``[C]``.
        key_weight: ``[C, 1, 3, 3]``, applied to the warped keyframe feature.
        key_bias: ``[C]``.
        value_weight: ``[C, 1, 3, 3]``, applied to the warped keyframe feature.
        value_bias: ``[C]``.
        position_bias: ``[49]``, added to the similarities of a window's places, row by row, those outside the image
            too (relative position bias, Liu et al. 2021, equation 4). Zeros, as published checkpoints have it, when it
            is not given.
    """

    query_weight: np.ndarray
    query_bias: np.ndarray
    key_weight: np.ndarray
    key_bias: np.ndarray
    value_weight: np.ndarray
    value_bias: np.ndarray
    position_bias: np.ndarray = field(default_factory=lambda: np.zeros(WINDOW**2, np.float32))

    def faults(self) -> list[str]:
        """Return what is not as described above, in words."""
        channels = self.query_bias.shape[0] if self.query_bias.ndim == 1 else 0
        wanted: dict[str, tuple[int, ...]] = {"position_bias": (WINDOW**2,)}
        for part in ("query", "key", "value"):
            wanted |= {f"{part}_weight": (channels, 1, TAPS, TAPS), f"{part}_bias": (channels,)}
        return [
            f"{name}: {array.dtype}{list(array.shape)} seen, float32{list(shape)} expected"
            for name, shape in wanted.items()
            if (array := getattr(self, name)).shape != shape or array.dtype != np.float32
        ]


@dataclass(frozen=True, slots=True)
class FusionShapes:
    """Static shapes of one fusion.

    Attributes:
        channels: ``C`` of all features, at least 1.
        feature: ``(h, w)`` of the keyframe feature and of the result, each at least 2 (the warp divides by
            ``h - 1`` and ``w - 1``).
        lr_feature: ``(h', w')`` of the LR feature.
        flow: ``(Hg, Wg)``, cells of the flow grid.
        frame_height: ``H`` of the frame in luma pixels; flow is scaled by ``h / H`` on both axes, as published
            checkpoints were trained.

    Raises:
        OptionError: a size is too small.
    """

    channels: int
    feature: tuple[int, int]
    lr_feature: tuple[int, int]
    flow: tuple[int, int]
    frame_height: int

    def __post_init__(self) -> None:
        least = {"channels": 1, "feature": 2, "lr_feature": 1, "flow": 1, "frame_height": 1}
        faults = []
        for name, smallest in least.items():
            value = getattr(self, name)
            if min(np.atleast_1d(value)) < smallest:
                faults.append(f"{name} is {value}, expected at least {smallest}")
        if faults:
            raise OptionError("cannot fuse features of these shapes: " + "; ".join(faults))

    @classmethod
    def of(cls, manifest: Manifest) -> "FusionShapes":
        """Return the shapes of a bundle that has a ``fuse`` graph."""
        inputs = manifest.graphs[Role.FUSE].inputs
        key, lr, flow = (inputs[name].shape for name in (names.KEY_FEATURE, names.LR_FEATURE, names.FLOW))
        return cls(key[1], (key[2], key[3]), (lr[2], lr[3]), (flow[0], flow[1]), manifest.height)

    @property
    def attention_macs(self) -> int:
        """Multiply-accumulates of similarity and weighted sum: ``2 * C * h * w * 49``."""
        return 2 * self.channels * self.feature[0] * self.feature[1] * WINDOW**2

    @property
    def depthwise_macs(self) -> int:
        """Multiply-accumulates of the three depthwise 3x3 convolutions: ``27 * C * h * w``."""
        return 3 * TAPS**2 * self.channels * self.feature[0] * self.feature[1]
