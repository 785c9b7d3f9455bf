"""A compact residual network for edge boards, made to train from scratch."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edge_arseg.network.backbone import Backbone, ceil_halvings
from edge_arseg.network.layers import ConvBnRelu, pool_to, resize

POOLING_BINS = (1, 2, 4, 8)


class ResidualBlock(nn.Module):
    """Two dense 3x3 convolutions around a shortcut (He et al. 2016); dense ones quantize and run well everywhere."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1):
        super().__init__()
        self.first = ConvBnRelu(inputs, outputs, stride=stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, inputs, H, W]`` to ``[N, outputs, ceil(H / stride), ceil(W / stride)]``."""
        return F.relu(self.second(self.first(x)) + self.shortcut(x))


class PyramidPooling(nn.Module):
    """Averages over ever finer grids beside the feature itself (Zhao et al. 2017, section 3.2), in few channels."""

    def __init__(self, channels: int, reduced: int, outputs: int):
        super().__init__()
        self.reduce = nn.ModuleList(nn.Conv2d(channels, reduced, 1) for _ in POOLING_BINS)
        self.merge = ConvBnRelu(channels + reduced * len(POOLING_BINS), outputs, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, channels, H, W]`` to ``[N, outputs, H, W]``."""
        size = (x.shape[2], x.shape[3])
        pooled = [
            resize(F.relu(reduce(pool_to(x, bins))), size, align_corners=False)
            for reduce, bins in zip(self.reduce, POOLING_BINS, strict=True)
        ]
        return self.merge(torch.cat([x, *pooled], 1))


class Compact(Backbone):
    """Residual stages down to 1/32, pyramid pooling, and a way back up to 1/4 that adds the finer stages.

    The feature has 64 channels at 1/4: fine enough for poles and people at 480x360, few enough that fusion stays
    cheap. It ends in a leaky ReLU, so that what the LR branch adds to the keyframe's feature can be negative.
    """

    channels = 64
    stride = 4

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvBnRelu(3, 24, stride=2), ConvBnRelu(24, 48, stride=2))
        self.stage4 = ResidualBlock(48, 48)
        self.stage8 = nn.Sequential(ResidualBlock(48, 64, stride=2), ResidualBlock(64, 64))
        self.stage16 = nn.Sequential(ResidualBlock(64, 96, stride=2), ResidualBlock(96, 96))
        self.stage32 = ResidualBlock(96, 128, stride=2)
        self.context = PyramidPooling(128, 32, 96)
        self.from16 = nn.Conv2d(96, 96, 1)
        self.merge16 = ConvBnRelu(96, 64)
        self.from8 = nn.Conv2d(64, 64, 1)
        self.merge8 = ConvBnRelu(64, 64)
        self.from4 = nn.Conv2d(48, 64, 1)
        self.last = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64))

    def feature_size(self, height: int, width: int) -> tuple[int, int]:
        """A quarter of each side, rounded up."""
        return ceil_halvings(height, 2), ceil_halvings(width, 2)

    def forward(self, image: Tensor) -> Tensor:
        """Map ``[N, 3, H, W]`` to ``[N, 64, ceil(H / 4), ceil(W / 4)]``."""
        x4 = self.stage4(self.stem(image))
        x8 = self.stage8(x4)
        x16 = self.stage16(x8)
        top = self.context(self.stage32(x16))
        top = self.merge16(_added(top, self.from16(x16)))
        top = self.merge8(_added(top, self.from8(x8)))
        return F.leaky_relu(self.last(_added(top, self.from4(x4))), 0.1)


def _added(coarse: Tensor, fine: Tensor) -> Tensor:
    """Resize ``coarse`` to the size of ``fine`` and add."""
    return resize(coarse, (fine.shape[2], fine.shape[3]), align_corners=False) + fine
