"""EfficientNet-Lite: inverted residuals with ReLU6 and no gates, made for int8 (Liu 2020, after Tan and Le 2019)."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edge_arseg.network.backbone import Backbone, ceil_halvings
from edge_arseg.network.backbones.pyramid import PyramidDecoder
from edge_arseg.spec.model import Normalisation

STAGES = (
    (3, 1, 1, 16),
    (3, 2, 6, 24),
    (5, 2, 6, 40),
    (3, 2, 6, 80),
    (5, 1, 6, 112),
    (5, 2, 6, 192),
    (3, 1, 6, 320),
)
"""Kernel, stride of the first block, expansion, channels."""

TAKEN = {0: 2, 1: 4, 2: 8, 4: 16, 6: 32}
"""Stages that the decoder sees, with their strides."""


class InvertedResidual(nn.Module):
    """1x1 convolution to more channels, depthwise convolution, 1x1 convolution to fewer, around a shortcut."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = inputs * expansion
        self.expand: nn.Conv2d | None = None
        if expansion != 1:
            self.expand, self.expand_bn = nn.Conv2d(inputs, wide, 1, bias=False), _normalisation(wide)
        self.depthwise = nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False)
        self.depthwise_bn = _normalisation(wide)
        self.project, self.project_bn = nn.Conv2d(wide, outputs, 1, bias=False), _normalisation(outputs)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, inputs, H, W]`` to ``[N, outputs, ceil(H / stride), ceil(W / stride)]``."""
        y = x if self.expand is None else F.relu6(_normalised(x, self.expand, self.expand_bn))
        y = F.relu6(_normalised(y, self.depthwise, self.depthwise_bn))
        y = _normalised(y, self.project, self.project_bn)
        return x + y if self.shortcut else y


class EfficientNetLite(nn.Module):
    """Image to the outputs of five stages; for 96x128 ``[N, 16, 48, 64]``, 24, 40, 112, and ``[N, 320, 3, 4]``.

    Args:
        depths: blocks of each of the seven stages.
    """

    def __init__(self, depths: Sequence[int]):
        super().__init__()
        self.stem, self.stem_bn = nn.Conv2d(3, 32, 3, 2, 1, bias=False), _normalisation(32)
        stages, inputs = [], 32
        for (kernel, stride, expansion, outputs), depth in zip(STAGES, depths, strict=True):
            stage = nn.Sequential()
            for number in range(depth):
                stage.append(
                    InvertedResidual(
                        inputs, outputs, kernel=kernel, stride=1 if number else stride, expansion=expansion
                    )
                )
                inputs = outputs
            stages.append(stage)
        self.stages = nn.ModuleList(stages)

    def forward(self, image: Tensor) -> dict[int, Tensor]:
        """Map ``[N, 3, H, W]`` to the stages by stride."""
        x = F.relu6(_normalised(image, self.stem, self.stem_bn))
        taken = {}
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in TAKEN:
                taken[TAKEN[number]] = x
        return taken


class Lite(Backbone):
    """EfficientNet-Lite under a pyramid decoder; feature of 64 channels at 1/4.

    Args:
        depths: blocks of each of the seven stages.
        smoothing: 3x3 convolutions behind the stage that is one step coarser than the feature.
    """

    channels = 64
    stride = 4
    normalisation = Normalisation(mean=(127 / 255,) * 3, std=(128 / 255,) * 3)

    def __init__(self, depths: Sequence[int], *, smoothing: int):
        super().__init__()
        self.depths = tuple(depths)
        self.encoder = EfficientNetLite(self.depths)
        stages = {stride: STAGES[number][3] for number, stride in TAKEN.items()}
        self.decoder = PyramidDecoder(stages, stride=self.stride, channels=self.channels, smoothing=smoothing)

    def feature_size(self, height: int, width: int) -> tuple[int, int]:
        """A quarter of each side, rounded up."""
        return ceil_halvings(height, 2), ceil_halvings(width, 2)

    def forward(self, image: Tensor) -> Tensor:
        """Map ``[N, 3, H, W]`` to ``[N, 64, ceil(H / 4), ceil(W / 4)]``."""
        return self.decoder(self.encoder(image), self.feature_size(image.shape[2], image.shape[3]))

    def encoder_weights(self, published: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Rename the weights of ``efficientnet-lite-pytorch``, which are TensorFlow's; others keep their names."""
        names = {"_conv_stem": "stem", "_bn0": "stem_bn"}
        number = 0
        for stage, depth in enumerate(self.depths):
            for block in range(depth):
                parts = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")
                ours = ("expand", "expand_bn", "depthwise", "depthwise_bn", "project", "project_bn")
                for theirs, part in zip(parts, ours, strict=True):
                    names[f"_blocks.{number}.{theirs}"] = f"stages.{stage}.{block}.{part}"
                number += 1
        renamed = {}
        for key, value in published.items():
            module, _, leaf = key.rpartition(".")
            renamed[f"{names.get(module, module)}.{leaf}"] = value
        return renamed


class Lite0(Lite):
    """EfficientNet-Lite0: 1.29 of the 2.17 GMAC at 360x480 are the encoder's."""

    def __init__(self) -> None:
        super().__init__((1, 2, 2, 3, 3, 4, 1), smoothing=2)


class Lite1(Lite):
    """EfficientNet-Lite1: five blocks more; the decoder has one convolution less, so that 2.5 GMAC hold both."""

    def __init__(self) -> None:
        super().__init__((1, 3, 3, 4, 4, 5, 1), smoothing=1)


def _normalisation(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _normalised(x: Tensor, conv: nn.Conv2d, bn: nn.BatchNorm2d) -> Tensor:
    """Convolution and normalisation; with fixed statistics in one, as half of a training step goes into the second."""
    if bn.training or not torch.is_grad_enabled():
        return bn(conv(x))
    assert bn.running_mean is not None
    assert bn.running_var is not None
    scale = bn.weight * torch.rsqrt(bn.running_var + bn.eps)
    kernel = conv.weight * scale[:, None, None, None]
    return F.conv2d(x, kernel, bn.bias - bn.running_mean * scale, conv.stride, conv.padding, groups=conv.groups)
