"""CReFF and its warp as the reference implementation computes them, slowly, in PyTorch. The oracle of the tests."""

import numpy as np
import torch
import torch.nn.functional as F

from edge_arseg.spec.weights import FusionWeights


def warp(key: np.ndarray, flow: np.ndarray, frame_height: int) -> np.ndarray:
    """Sample ``key [C, h, w]`` along ``flow [Hg, Wg, 2]`` (luma pixels); float64 up to the sampling grid."""
    _, height, width = key.shape
    scaled = torch.from_numpy(flow.astype(np.float64)).permute(2, 0, 1)[None] * (height / frame_height)
    scaled = F.interpolate(scaled, (height, width), mode="bilinear", align_corners=True)[0]
    x = torch.arange(width, dtype=torch.float64)[None, :] + scaled[0]
    y = torch.arange(height, dtype=torch.float64)[:, None] + scaled[1]
    grid = torch.stack((2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1), -1)[None].float()
    # Far outside, grid_sample is zero; its conversion to integers is not defined for any number, so stay near.
    grid = grid.nan_to_num(9.0).clamp(-9, 9)
    feature = torch.from_numpy(key)[None]
    return F.grid_sample(feature, grid, mode="bilinear", padding_mode="zeros", align_corners=False)[0].numpy()


def attend(warped: np.ndarray, lr: np.ndarray, weights: FusionWeights) -> np.ndarray:
    """Fuse ``warped [C, h, w]`` and ``lr [C, h', w']``; the attention sums in float64."""
    channels, height, width = warped.shape

    def depthwise(feature: torch.Tensor, name: str) -> torch.Tensor:
        weight = torch.from_numpy(getattr(weights, f"{name}_weight")).reshape(channels, 1, 3, 3)
        bias = torch.from_numpy(getattr(weights, f"{name}_bias"))
        return F.conv2d(feature, weight, bias, padding=1, groups=channels)

    feature = torch.from_numpy(warped)[None]
    base = F.interpolate(torch.from_numpy(lr)[None], (height, width), mode="bilinear", align_corners=True)
    query = depthwise(base, "query").double()
    # unfold pads with zeros: similarity and value 0 outside the image, and the place stays in the softmax.
    side, places = weights.window, weights.window**2
    key, value = (
        F.unfold(depthwise(feature, name).double(), side, padding=side // 2).reshape(1, channels, places, height, width)
        for name in ("key", "value")
    )
    bias = torch.from_numpy(weights.position_bias).double().view(1, places, 1, 1)
    attention = ((query[:, :, None] * key).sum(1) + bias).softmax(1)
    return (base + (attention[:, None] * value).sum(2).float())[0].numpy()


def fuse(key: np.ndarray, flow: np.ndarray, lr: np.ndarray, weights: FusionWeights, frame_height: int) -> np.ndarray:
    """Return the fused feature ``[C, h, w] float32``."""
    return attend(warp(key, flow, frame_height), lr, weights)


def random_weights(rng: np.random.Generator, channels: int, gain: float = 0.3, window: int = 7) -> FusionWeights:
    """Weights that keep the softmax between flat and one-hot for features of unit variance."""
    shapes = [(channels, 1, 3, 3), (channels,)] * 3 + [(window**2,)]
    return FusionWeights(*(rng.normal(0, gain, shape).astype(np.float32) for shape in shapes))
