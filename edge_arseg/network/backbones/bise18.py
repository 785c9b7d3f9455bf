"""BiSeNetV1 on ResNet-18: context path, spatial path, and what joins them (Yu et al. 2018)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edge_arseg.network.backbone import Backbone, ceil_halvings
from edge_arseg.network.backbones.resnet18 import ResNet18
from edge_arseg.network.layers import ConvBnRelu, resize


class ChannelGate(nn.Module):
    """Weight of each channel, from its mean over the image."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, C, H, W]`` to ``[N, C, 1, 1]`` in 0 to 1."""
        return torch.sigmoid(self.bn(self.conv(x.mean((2, 3), keepdim=True))))


class AttentionRefinement(nn.Module):
    """3x3 convolution whose channels are gated by their means."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = ConvBnRelu(inputs, outputs)
        self.gate = ChannelGate(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, inputs, H, W]`` to ``[N, outputs, H, W]``."""
        x = self.conv(x)
        return x * self.gate(x)


class SpatialPath(nn.Module):
    """Image to ``[N, 128, ceil(H / 8), ceil(W / 8)]``, in four convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvBnRelu(3, 64, kernel=7, stride=2)
        self.conv2 = ConvBnRelu(64, 64, stride=2)
        self.conv3 = ConvBnRelu(64, 64, stride=2)
        self.output = ConvBnRelu(64, 128, kernel=1)

    def forward(self, image: Tensor) -> Tensor:
        """Map ``[N, 3, H, W]`` to ``[N, 128, ceil(H / 8), ceil(W / 8)]``."""
        return self.output(self.conv3(self.conv2(self.conv1(image))))


class FeatureFusion(nn.Module):
    """Joins the two paths: 1x1 convolution, then every channel weighted by ``1 + gate``."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = ConvBnRelu(256, 256, kernel=1)
        self.gate = ChannelGate(256)

    def forward(self, spatial: Tensor, context: Tensor) -> Tensor:
        """Map two ``[N, 128, H, W]`` to ``[N, 256, H, W]``."""
        x = self.conv(torch.cat([spatial, context], 1))
        return x * self.gate(x) + x


class BiSeNetDecoder(nn.Module):
    """Encoder stages at 1/16 and 1/32 and the spatial path, to a feature at about 1/8.

    The 1/32 map is doubled (nearest) and then brought to the 1/16 map's size; the 1/16 map is doubled. Where the image
    is no multiple of 16 the result is therefore larger than 1/8 (45 rows become 46), and the spatial path is resized
    to it. For a 96x128 image, ``[1, 256, 6, 8]``, ``[1, 512, 3, 4]`` and ``[1, 128, 12, 16]`` give
    ``[1, 256, 12, 16]``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refine16 = AttentionRefinement(256, 128)
        self.refine32 = AttentionRefinement(512, 128)
        self.global_context = ConvBnRelu(512, 128, kernel=1)
        self.smooth32 = ConvBnRelu(128, 128)
        self.smooth16 = ConvBnRelu(128, 128)
        self.fusion = FeatureFusion()
        self.output = ConvBnRelu(256, 256)

    def forward(self, x16: Tensor, x32: Tensor, spatial: Tensor) -> Tensor:
        """Map the encoder's last two stages and the spatial path to ``[N, 256, 2 H16, 2 W16]``."""
        context = self.refine32(x32) + self.global_context(x32.mean((2, 3), keepdim=True))
        context = F.interpolate(context, scale_factor=2.0, mode="nearest")
        context = self.smooth32(resize(context, (x16.shape[2], x16.shape[3]), align_corners=True))
        context = self.refine16(x16) + context
        context = self.smooth16(F.interpolate(context, scale_factor=2.0, mode="nearest"))
        spatial = resize(spatial, (context.shape[2], context.shape[3]), align_corners=True)
        return self.output(self.fusion(spatial, context))


class Bise18(Backbone):
    """Context path on ResNet-18 beside a shallow spatial path; feature at about 1/8."""

    channels = 256
    stride = 8
    upscale = 8

    def __init__(self) -> None:
        super().__init__()
        self.encoder = ResNet18()
        self.spatial = SpatialPath()
        self.decoder = BiSeNetDecoder()

    def feature_size(self, height: int, width: int) -> tuple[int, int]:
        """Twice the size at 1/16, each side rounded up."""
        return 2 * ceil_halvings(height, 4), 2 * ceil_halvings(width, 4)

    def forward(self, image: Tensor) -> Tensor:
        """Map ``[N, 3, H, W]`` to ``[N, 256, 2 ceil(H / 16), 2 ceil(W / 16)]``."""
        _, _, x16, x32 = self.encoder(image)
        return self.decoder(x16, x32, self.spatial(image))
