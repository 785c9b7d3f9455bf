"""Cross-resolution feature fusion, CReFF (AR-Seg, section 3.2; reference ``MyAttention``)."""

from torch import Tensor, nn

from edge_arseg.network.layers import resize
from edge_arseg.network.local_attention import local_attention

WINDOW = 7


class Creff(nn.Module):
    """Adds to the LR feature what local attention finds in the warped keyframe feature.

    ``fused = up(lr) + attention(query(up(lr)), key(warped), value(warped))`` with depthwise 3x3 convolutions.
    """

    def __init__(self, channels: int, *, window: int = WINDOW):
        super().__init__()
        self.window = window
        self.query = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.key = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.value = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)

    def forward(self, warped: Tensor, lr_feature: Tensor) -> Tensor:
        """Fuse ``warped [N, C, h, w]`` with ``lr_feature [N, C, h', w']``; returns ``[N, C, h, w]``."""
        lr = resize(lr_feature, (warped.shape[2], warped.shape[3]), align_corners=True)
        return lr + local_attention(self.query(lr), self.key(warped), self.value(warped), self.window)
