"""A backbone of your own, in 40 lines: inverted residual blocks, feature at stride 8.

With this folder on PYTHONPATH it is ``--backbone own_backbone:build``. ``docs/backbones.md`` explains the contract.
"""

from torch import Tensor, nn

from edge_arseg import Backbone


class InvertedResidual(nn.Module):
    """1x1 convolution to more channels, 3x3 on each channel alone, 1x1 convolution back (MobileNetV2)."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, growth: int = 4):
        super().__init__()
        inner = growth * inputs
        self.block = nn.Sequential(
            *(nn.Conv2d(inputs, inner, 1, bias=False), nn.BatchNorm2d(inner), nn.ReLU6()),
            *(nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False), nn.BatchNorm2d(inner), nn.ReLU6()),
            *(nn.Conv2d(inner, outputs, 1, bias=False), nn.BatchNorm2d(outputs)),
        )
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, inputs, H, W]`` to ``[N, outputs, ceil(H / stride), ceil(W / stride)]``."""
        return x + self.block(x) if self.has_shortcut else self.block(x)


class OwnBackbone(Backbone):
    """A stem and four blocks. ``[1, 3, 90, 122]`` gives ``[1, 32, 12, 16]``."""

    channels = 32
    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6())
        self.blocks = nn.Sequential(
            InvertedResidual(16, 24, stride=2),
            InvertedResidual(24, 32, stride=2),
            InvertedResidual(32, 32, stride=1),
            InvertedResidual(32, self.channels, stride=1),
        )

    def feature_size(self, height: int, width: int) -> tuple[int, int]:
        """Each side halved three times, rounded up each time."""
        return -(-height // self.stride), -(-width // self.stride)

    def forward(self, image: Tensor) -> Tensor:
        """Map ``[N, 3, H, W]`` to ``[N, 32, ceil(H / 8), ceil(W / 8)]``."""
        return self.blocks(self.stem(image))


def build() -> Backbone:
    """What ``--backbone own_backbone:build`` calls."""
    return OwnBackbone()
