"""ResNet-18 without its classifier (He et al. 2016), with the strides and dilations of AR-Seg's backbones."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

Dilations = tuple[tuple[int, int], tuple[int, int]]
"""Dilation of (first, second) convolution in the (first, second) block of a stage."""

PLAIN: Dilations = ((1, 1), (1, 1))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, dilations: tuple[int, int]):
        super().__init__()
        first, second = dilations
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=first, dilation=first, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=second, dilation=second, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, inputs, H, W]`` to ``[N, outputs, ceil(H / stride), ceil(W / stride)]``."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)) + shortcut)


class ResNet18(nn.Module):
    """Image to the four stage outputs.

    ``[1, 3, 96, 128]`` with strides ``(1, 2, 2, 2)`` gives ``[1, 64, 24, 32]``, ``[1, 128, 12, 16]``,
    ``[1, 256, 6, 8]`` and ``[1, 512, 3, 4]``.
    """

    def __init__(
        self,
        *,
        strides: Sequence[int] = (1, 2, 2, 2),
        dilations: Sequence[Dilations] = (PLAIN, PLAIN, PLAIN, PLAIN),
    ):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _stage(64, 64, strides[0], dilations[0])
        self.layer2 = _stage(64, 128, strides[1], dilations[1])
        self.layer3 = _stage(128, 256, strides[2], dilations[2])
        self.layer4 = _stage(256, 512, strides[3], dilations[3])

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Map ``[N, 3, H, W]`` to the outputs of ``layer1`` to ``layer4``."""
        x = F.relu(self.bn1(self.conv1(image)))
        x = F.max_pool2d(x, 3, 2, padding=1)
        x1 = self.layer1(x)
        x2 = self.layer2(x1)
        x3 = self.layer3(x2)
        return x1, x2, x3, self.layer4(x3)


def _stage(inputs: int, outputs: int, stride: int, dilations: Dilations) -> nn.Sequential:
    return nn.Sequential(
        BasicBlock(inputs, outputs, stride=stride, dilations=dilations[0]),
        BasicBlock(outputs, outputs, stride=1, dilations=dilations[1]),
    )
