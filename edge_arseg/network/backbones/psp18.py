"""PSPNet on ResNet-18 (Zhao et al. 2017), in the two forms AR-Seg was trained with."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edge_arseg.network.backbone import Backbone, ceil_halvings
from edge_arseg.network.backbones.resnet18 import PLAIN, ResNet18
from edge_arseg.network.layers import ConvBnRelu, pool_to, resize

BINS = (1, 2, 3, 6)


class UpsampleBlock(nn.Module):
    """Bilinear x2, 3x3 convolution, batch normalisation, PReLU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.bn = nn.BatchNorm2d(outputs)
        self.activation = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, inputs, H, W]`` to ``[N, outputs, 2 H, 2 W]``."""
        x = resize(x, (2 * x.shape[2], 2 * x.shape[3]), align_corners=False)
        return self.activation(self.bn(self.conv(x)))


class PspUpsampling(nn.Module):
    """Pyramid pooling, then three x2 steps back to the image's size (camvid-psp18).

    Pooled maps come first in the concatenation, without batch normalisation; resizing has ``align_corners=False``.
    ``[1, 512, 12, 16]`` gives ``[1, 64, 96, 128]``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pyramid = nn.ModuleList(nn.Conv2d(512, 512, 1, bias=False) for _ in BINS)
        self.bottleneck = nn.Conv2d(512 * 5, 1024, 1)
        self.upsample = nn.Sequential(UpsampleBlock(1024, 256), UpsampleBlock(256, 64), UpsampleBlock(64, 64))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, 512, H, W]`` to ``[N, 64, 8 H, 8 W]``."""
        size = (x.shape[2], x.shape[3])
        pooled = [
            resize(conv(pool_to(x, bins)), size, align_corners=False)
            for bins, conv in zip(BINS, self.pyramid, strict=True)
        ]
        return self.upsample(F.relu(self.bottleneck(torch.cat([*pooled, x], 1))))


class PspPlain(nn.Module):
    """Pyramid pooling and one 3x3 convolution at the encoder's stride (cityscapes-psp18).

    The input comes first in the concatenation; pooled maps are normalised and resized with ``align_corners=True``.
    ``[1, 512, 12, 16]`` gives ``[1, 512, 12, 16]``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pyramid = nn.ModuleList(ConvBnRelu(512, 128, kernel=1) for _ in BINS)
        self.output = ConvBnRelu(512 * 2, 512)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, 512, H, W]`` to the same shape."""
        size = (x.shape[2], x.shape[3])
        pooled = [
            resize(conv(pool_to(x, bins)), size, align_corners=True)
            for bins, conv in zip(BINS, self.pyramid, strict=True)
        ]
        return self.output(torch.cat([x, *pooled], 1))


class Psp18(Backbone):
    """CamVid's PSPNet: decoder back to the image's size; half of the cost is in the decoder."""

    channels = 64
    stride = 1
    log_probabilities = True

    def __init__(self) -> None:
        super().__init__()
        self.encoder = ResNet18(strides=(1, 2, 1, 1), dilations=(PLAIN, PLAIN, ((1, 1), (2, 2)), ((1, 1), (4, 4))))
        self.decoder = PspUpsampling()

    def feature_size(self, height: int, width: int) -> tuple[int, int]:
        """Each side rounded up to a multiple of 8."""
        return 8 * ceil_halvings(height, 3), 8 * ceil_halvings(width, 3)

    def forward(self, image: Tensor) -> Tensor:
        """Map ``[N, 3, H, W]`` to ``[N, 64, 8 ceil(H / 8), 8 ceil(W / 8)]``."""
        return self.decoder(self.encoder(image)[3])


class Psp18Stride8(Backbone):
    """Cityscapes' PSPNet: wide feature at 1/8."""

    channels = 512
    stride = 8

    def __init__(self) -> None:
        super().__init__()
        self.encoder = ResNet18(strides=(1, 2, 1, 1), dilations=(PLAIN, PLAIN, ((1, 2), (2, 2)), ((1, 4), (4, 4))))
        self.decoder = PspPlain()

    def feature_size(self, height: int, width: int) -> tuple[int, int]:
        """Each side divided by 8, rounded up."""
        return ceil_halvings(height, 3), ceil_halvings(width, 3)

    def forward(self, image: Tensor) -> Tensor:
        """Map ``[N, 3, H, W]`` to ``[N, 512, ceil(H / 8), ceil(W / 8)]``."""
        return self.decoder(self.encoder(image)[3])
