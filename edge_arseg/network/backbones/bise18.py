"""BiSeNetV1 on ResNet-18."""

from torch import Tensor

from edge_arseg.network.backbone import Backbone, ceil_halvings
from edge_arseg.network.decoders.bisenet import BiSeNetDecoder, SpatialPath
from edge_arseg.network.encoders.resnet18 import ResNet18


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
