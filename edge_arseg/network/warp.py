"""Moving the keyframe's feature to the current frame (AR-Seg, section 3.2; reference ``warpFeature``)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from edge_arseg.network.layers import resize


def flow_at_feature(flow: Tensor, *, feature_size: tuple[int, int], frame_height: int) -> Tensor:
    """Bring a flow to a feature's grid and unit.

    Args:
        flow: ``[Hg, Wg, 2] float32``, luma pixels, x then y, on any grid that spans the frame.
        feature_size: rows and columns of the feature.
        frame_height: rows of the frame that the flow is measured in.

    Returns:
        ``[1, 2, h, w] float64``, feature pixels. One factor, that of the height, scales both axes: the checkpoints
        were trained so, and where rows and columns round differently the result differs. Like the reference, this and
        the coordinates made of it are double precision: next to a jump in the flow, or in a feature, the rounding of
        a position shows.
    """
    return flows_at_feature(flow[None], feature_size=feature_size, frame_height=frame_height)


def flows_at_feature(flows: Tensor, *, feature_size: tuple[int, int], frame_height: int) -> Tensor:
    """Bring ``[N, Hg, Wg, 2]`` flows of one size to ``[N, 2, h, w] float64``; see ``flow_at_feature``."""
    fields = resize(flows.permute(0, 3, 1, 2).double(), feature_size, align_corners=True)
    return fields * (feature_size[0] / frame_height)


def warp(feature: Tensor, flow: Tensor) -> Tensor:
    """Sample ``feature [N, C, h, w]`` at each pixel plus ``flow [N, 2, h, w] float64`` (feature pixels, x then y).

    Coordinates are normalised as for ``align_corners=True`` and sampled with ``align_corners=False``: position ``v``
    is read at ``v * w / (w - 1) - 0.5``, so even zero flow shifts by up to half a pixel and halves the border. The
    checkpoints were trained with it; do not correct it.
    """
    height, width = feature.shape[-2:]
    x = torch.arange(width, dtype=flow.dtype, device=flow.device)
    y = torch.arange(height, dtype=flow.dtype, device=flow.device)[:, None]
    grid_x = (x + flow[:, 0]) * (2.0 / (width - 1)) - 1.0
    grid_y = (y + flow[:, 1]) * (2.0 / (height - 1)) - 1.0
    grid = torch.stack((grid_x, grid_y), 3).to(feature.dtype)
    return F.grid_sample(feature, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
