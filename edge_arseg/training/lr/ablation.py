"""Which parts of CReFF a training uses: all of them, or fewer to measure what a part is worth.

Whatever is left out is left out in the weights or in the input, so the file that training writes computes the same at
inference: without attention the value convolution is zero; without a warp, run with ``--motion zero``.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from edge_arseg.network.attention.differentiable import differentiable_attention
from edge_arseg.network.creff import Creff
from edge_arseg.network.layers import resize
from edge_arseg.network.warp import flows_at_feature, warp
from edge_arseg.training.lr.settings import FusionParts


class FusionChoice(ABC):
    """How a keyframe's feature joins the LR feature in training."""

    uses_keyframe = True

    @abstractmethod
    def prepare(self, creff: Creff) -> None:
        """Set the weights of parts that are left out."""

    @abstractmethod
    def parameters(self, creff: Creff) -> Iterator[nn.Parameter]:
        """Return the weights of CReFF that are trained."""

    @abstractmethod
    def fused(self, creff: Creff, key_feature: Tensor, flows: Tensor, lr_feature: Tensor, frame_height: int) -> Tensor:
        """Fuse a batch, with gradients.

        Args:
            creff: the module whose weights are used.
            key_feature: ``[N, C, h, w] float32``, HR branch on the keyframes.
            flows: ``[N, Hg, Wg, 2] float32``, pixels, x then y, frames to keyframes.
            lr_feature: ``[N, C, h', w'] float32``, LR branch on the frames.
            frame_height: rows of the frames that the flows are measured in.

        Returns:
            ``[N, C, h, w]``.
        """


class WarpAndAttention(FusionChoice):
    """CReFF as it is run: warp, then attention."""

    def prepare(self, creff: Creff) -> None:
        """Nothing is left out."""

    def parameters(self, creff: Creff) -> Iterator[nn.Parameter]:
        """Return all of them."""
        return creff.parameters()

    def fused(self, creff: Creff, key_feature: Tensor, flows: Tensor, lr_feature: Tensor, frame_height: int) -> Tensor:
        """Warp the keyframe's feature and add what attention finds in it."""
        size = (key_feature.shape[2], key_feature.shape[3])
        warped = warp(key_feature, flows_at_feature(flows, feature_size=size, frame_height=frame_height))
        return attended(creff, warped, lr_feature)


class AttentionAlone(WarpAndAttention):
    """Attention to the keyframe's feature where it lies: as if nothing had moved."""

    def fused(self, creff: Creff, key_feature: Tensor, flows: Tensor, lr_feature: Tensor, frame_height: int) -> Tensor:
        """Do the same with flows of zero, as ``--motion zero`` does."""
        return super().fused(creff, key_feature, torch.zeros_like(flows), lr_feature, frame_height)


class LrAlone(FusionChoice):
    """No attention: the LR feature is only enlarged."""

    uses_keyframe = False

    def prepare(self, creff: Creff) -> None:
        """Set the value convolution to zero, so that attention adds zero at inference too."""
        nn.init.zeros_(creff.value.weight)
        if creff.value.bias is not None:
            nn.init.zeros_(creff.value.bias)

    def parameters(self, creff: Creff) -> Iterator[nn.Parameter]:
        """Return none."""
        return iter(())

    def fused(self, creff: Creff, key_feature: Tensor, flows: Tensor, lr_feature: Tensor, frame_height: int) -> Tensor:
        """Enlarge the LR feature."""
        return resize(lr_feature, (key_feature.shape[2], key_feature.shape[3]), align_corners=True)


def attended(creff: Creff, warped: Tensor, lr_feature: Tensor) -> Tensor:
    """``Creff.forward`` with the attention that has gradients."""
    lr = resize(lr_feature, (warped.shape[2], warped.shape[3]), align_corners=True)
    return lr + differentiable_attention(
        creff.query(lr), creff.key(warped), creff.value(warped), creff.window, creff.position_bias
    )


FUSION_CHOICES: dict[str, FusionChoice] = {
    FusionParts.FULL: WarpAndAttention(),
    FusionParts.NO_WARP: AttentionAlone(),
    FusionParts.NO_ATTENTION: LrAlone(),
}
"""By name."""
