"""Layers that more than one backbone is built from."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConvBnRelu(nn.Module):
    """Convolution without bias, batch normalisation, ReLU. Keeps the size at stride 1."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, padding: int | None = None):
        super().__init__()
        padding = kernel // 2 if padding is None else padding
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, inputs, H, W]`` to ``[N, outputs, H', W']``."""
        return F.relu(self.bn(self.conv(x)))


def resize(x: Tensor, size: tuple[int, int], *, align_corners: bool) -> Tensor:
    """Resize ``[N, C, H, W]`` bilinearly to ``size``; returns ``x`` itself where the size is right already."""
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return F.interpolate(x, size, mode="bilinear", align_corners=align_corners)


def pooling_matrix(length: int, bins: int) -> Tensor:
    """Return ``[bins, length]`` weights that average one axis like ``adaptive_avg_pool``.

    Bin ``i`` covers ``floor(i * length / bins)`` up to ``ceil((i + 1) * length / bins)``, as torch defines it.
    """
    matrix = torch.zeros(bins, length)
    for i in range(bins):
        start, stop = i * length // bins, -(-(i + 1) * length // bins)
        matrix[i, start:stop] = 1.0 / (stop - start)
    return matrix


def pool_to(x: Tensor, bins: int) -> Tensor:
    """Average ``[N, C, H, W]`` over a ``bins x bins`` grid, whatever the size.

    Equal to ``adaptive_avg_pool2d(x, bins)``, written as two products with constant matrices: adaptive pooling
    itself exports only where ``bins`` divides the size (45x60 by 2, 3 or 6 does not).
    """
    if bins == 1:
        return x.mean((2, 3), keepdim=True)
    rows = pooling_matrix(x.shape[2], bins).to(x)
    columns = pooling_matrix(x.shape[3], bins).to(x)
    return rows @ (x @ columns.T)
