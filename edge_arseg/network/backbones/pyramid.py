"""A way back up from the stages of an encoder: pyramid pooling, and the finer stages added one after the other."""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

from edge_arseg.network.backbones.compact import PyramidPooling
from edge_arseg.network.layers import ConvBnRelu, resize

CONTEXT = 64
"""Channels of each grid of the pyramid pooling."""


class PyramidDecoder(nn.Module):
    """Stages of an encoder to one feature.

    For stages at 1/2 to 1/32 and a feature of 64 channels at 1/4: pooling at 1/32 to 128 channels, then at 1/16, 1/8
    and 1/4 the stage itself (a 1x1 convolution to 128, 96 and 64 channels) is added and a 3x3 convolution follows. The
    stage at 1/2 comes in by a 3x3 convolution of stride 2, for the edges of thin things. A leaky ReLU ends it, so that
    what the LR branch adds to the keyframe's feature can be negative.

    Args:
        stages: channels by stride; those finer than half of ``stride`` are not used.
        stride: of the feature, one of those of ``stages``.
        channels: of the feature.
        smoothing: 3x3 convolutions at the level that is one step coarser than the feature, one or more.
    """

    def __init__(self, stages: Mapping[int, int], *, stride: int, channels: int, smoothing: int = 2):
        super().__init__()
        self.levels = sorted(level for level in stages if level >= stride)
        widths = [channels * factor // 2 for factor in (2, 3, 4)]
        widths += [widths[-1]] * len(self.levels)
        deepest = self.levels[-1]
        self.context = PyramidPooling(stages[deepest], CONTEXT, widths[max(0, len(self.levels) - 2)])
        self.lateral = nn.ModuleDict(
            {
                str(level): nn.Conv2d(stages[level], width, 1)
                for level, width in zip(self.levels[:-1], widths, strict=False)
            }
        )
        self.merge = nn.ModuleDict(
            {str(level): _merge(widths, place, smoothing) for place, level in enumerate(self.levels[:-1]) if place}
        )
        self.detail_level = stride // 2 if stride // 2 in stages else None
        self.detail: nn.Conv2d | None = None
        if self.detail_level is not None:
            self.detail = nn.Conv2d(stages[self.detail_level], channels, 3, 2, 1)
        self.last = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, stages: Mapping[int, Tensor], size: tuple[int, int]) -> Tensor:
        """Map stages by stride, ``[N, C, h, w]`` each, to ``[N, channels, *size]``."""
        top = self.context(stages[self.levels[-1]])
        for level in reversed(self.levels[:-1]):
            stage = self.lateral[str(level)](stages[level])
            top = resize(top, (stage.shape[2], stage.shape[3]), align_corners=False) + stage
            if level != self.levels[0]:
                top = self.merge[str(level)](top)
        top = resize(top, size, align_corners=False)
        if self.detail is not None and self.detail_level is not None:
            top = top + resize(self.detail(stages[self.detail_level]), size, align_corners=False)
        return F.leaky_relu(self.last(top), 0.1)


def _merge(widths: list[int], place: int, smoothing: int) -> nn.Module:
    """3x3 convolution to the width of the next finer level; ``smoothing`` of them where that is the feature's."""
    first = ConvBnRelu(widths[place], widths[place - 1])
    if place != 1:
        return first
    return nn.Sequential(first, *(ConvBnRelu(widths[0], widths[0]) for _ in range(smoothing - 1)))


def by_stride(levels: list[int], stages: list[Tensor]) -> dict[int, Tensor]:
    """Name the outputs of an encoder by their strides."""
    return dict(zip(levels, stages, strict=True))
