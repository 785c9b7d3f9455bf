"""mIoU of the fused feature, by distance, on pairs that are held back from LR training."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from edge_arseg.evaluation.confusion import confusion_from_maps, mean_iou
from edge_arseg.network.network import Network
from edge_arseg.training.lr.ablation import FusionChoice
from edge_arseg.training.pairs.pair import Pair


class HeldBackPairs:
    """Pairs with their keyframes' features, which LR training does not change and which are computed once."""

    def __init__(self, network: Network, pairs: Sequence[Pair], device: torch.device):
        self.pairs = pairs
        self.key_features = [_key_feature(network, pair, device) for pair in pairs]

    @torch.inference_mode()
    def miou_by_distance(
        self, network: Network, fusion: FusionChoice, lr_scale: float, device: torch.device
    ) -> dict[int, float]:
        """Score a network in ``eval`` mode.

        Returns:
            mIoU in per cent by distance, pooled over the pairs of that distance.
        """
        classes = len(network.model.classes)
        totals: dict[int, np.ndarray] = {}
        for pair, key_feature in zip(self.pairs, self.key_features, strict=True):
            frame = torch.from_numpy(pair.frame).to(device)
            flow = torch.from_numpy(pair.flow).to(device)[None]
            lr_feature = network.lr(network.lr_image_from_frame(frame, lr_scale))
            fused = fusion.fused(network.creff, key_feature.float(), flow, lr_feature, frame.shape[0])
            class_map = network.lr_head(fused, None, (frame.shape[0], frame.shape[1]))[0].argmax(0)
            matrix = confusion_from_maps(class_map.to(torch.uint8).cpu().numpy(), pair.label, classes)
            totals[pair.distance] = totals.get(pair.distance, 0) + matrix
        return {distance: 100.0 * mean_iou(total) for distance, total in sorted(totals.items())}


@torch.inference_mode()
def _key_feature(network: Network, pair: Pair, device: torch.device) -> Tensor:
    """``[1, C, h, w]``, in half the bits: the score does not see the difference."""
    return network.hr(network.image_from_frame(torch.from_numpy(pair.keyframe).to(device))).half()
