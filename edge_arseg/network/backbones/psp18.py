"""PSPNet on ResNet-18, in the two forms AR-Seg was trained with."""

from torch import Tensor

from edge_arseg.network.backbone import Backbone, ceil_halvings
from edge_arseg.network.decoders.psp import PspPlain, PspUpsampling
from edge_arseg.network.encoders.resnet18 import PLAIN, ResNet18


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
