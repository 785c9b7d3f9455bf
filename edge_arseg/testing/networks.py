"""Weights and frames that make every layer of a network count."""

from typing import TypeVar

import torch
from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)


def lived_in(module: Module) -> Module:
    """Return the module in ``eval`` mode, with other values in batch normalisation than the neutral ones."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            part.running_mean.normal_(0.0, 0.1)
            part.running_var.uniform_(0.7, 1.3)
            part.weight.data.uniform_(0.7, 1.3)
            part.bias.data.normal_(0.0, 0.1)
    return module.eval()


def random_frame(height: int, width: int, *, seed: int = 0) -> Tensor:
    """Return ``[H, W, 3] uint8``, smooth enough to look like a picture to the network."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, -(-height // 4) + 1, -(-width // 4) + 1, generator=generator)
    fine = nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    return (fine[0].permute(1, 2, 0) * 255).to(torch.uint8).contiguous()
