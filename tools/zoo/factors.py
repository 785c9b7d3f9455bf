"""Factors of a trained fusion that were chosen by hand, multiplied into its weights."""

from dataclasses import dataclass
from pathlib import Path

import torch

from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors, safetensors_from_network
from edge_arseg.network.network import Network
from edge_arseg.training.lr.start import scale_output


@dataclass(frozen=True, slots=True)
class Factors:
    """What is multiplied by what; the defaults change nothing.

    Attributes:
        lr_feature: the LR branch's feature; the query's weights are divided by it, so similarities stay.
        value: the value, weights and bias.
        position_bias: what a place in the window is worth by itself.
        sharpening: share of the difference between the value's centre and the mean over its 3x3 places, the centre's
            weight in each, that is added to the value, after its factor.
    """

    lr_feature: float = 1.0
    value: float = 1.0
    position_bias: float = 1.0
    sharpening: float = 0.0


@torch.no_grad()
def multiply(network: Network, factors: Factors) -> None:
    """Multiply the factors into the weights of a network.

    Raises:
        OptionError: the LR branch's feature cannot be scaled by its last normalisation.
    """
    creff = network.creff
    scale_output(network.lr, factors.lr_feature, torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(0)))
    creff.query.weight.div_(factors.lr_feature)
    creff.value.weight.mul_(factors.value)
    assert creff.value.bias is not None
    creff.value.bias.mul_(factors.value)
    kernel = creff.value.weight
    centre = kernel[:, :, 1:2, 1:2].clone()
    kernel.sub_(factors.sharpening * centre / kernel[0, 0].numel())
    kernel[:, :, 1:2, 1:2] += factors.sharpening * centre
    creff.position_bias.mul_(factors.position_bias)


def multiplied(checkpoint: Path, result: Path, factors: Factors) -> None:
    """Read a checkpoint, multiply, and write the result, whole or not at all."""
    network = network_from_safetensors(checkpoint)
    multiply(network, factors)
    safetensors_from_network(network, result)
