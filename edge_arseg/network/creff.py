"""Cross-resolution feature fusion, CReFF (AR-Seg, section 3.2; reference ``MyAttention``)."""

import torch
from torch import Tensor, nn

from edge_arseg.errors import OptionError
from edge_arseg.network.attention.local import local_attention
from edge_arseg.network.layers import resize
from edge_arseg.spec.model import WINDOW, WINDOWS


class Creff(nn.Module):
    """Adds to the LR feature what local attention finds in the warped keyframe feature.

    ``fused = up(lr) + attention(query(up(lr)), key(warped), value(warped))`` with depthwise 3x3 convolutions.

    ``position_bias [window^2]`` is added to the similarities of the places of a window (relative position bias, Liu et
    al. 2021, equation 4): without it, attention on a smooth feature cannot tell a place from its neighbours, and
    averages over them. The paper has none, which is zeros.
    """

    def __init__(self, channels: int, *, window: int = WINDOW):
        super().__init__()
        if window not in WINDOWS:
            raise OptionError(f"a window of {window} seen, expected one of {', '.join(map(str, WINDOWS))}")
        self.window = window
        self.query = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.key = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.value = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.position_bias = nn.Parameter(torch.zeros(window**2))

    def forward(self, warped: Tensor, lr_feature: Tensor) -> Tensor:
        """Fuse ``warped [N, C, h, w]`` with ``lr_feature [N, C, h', w']``; returns ``[N, C, h, w]``."""
        lr = resize(lr_feature, (warped.shape[2], warped.shape[3]), align_corners=True)
        attended = local_attention(
            self.query(lr), self.key(warped), self.value(warped), self.window, self.position_bias
        )
        return lr + attended
