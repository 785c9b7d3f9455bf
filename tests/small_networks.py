"""A small network of our own for tests, with weights that make every layer count."""

import sys
from pathlib import Path

import torch
from torch import nn

from edge_arseg.network.network import Network
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model

EXAMPLES = Path(__file__).parents[1] / "examples"
OWN = "own_backbone:build"
OWN_MODEL = Model("camvid-own", OWN, CAMVID_11, CAMVID_NORMALISATION)

if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))


def own_network(*, seed=0):
    """The network on ``examples/own_backbone.py``, in ``eval`` mode; one seed always gives the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = lived_in(Network(OWN_MODEL))
        network.lr_head.load_state_dict(network.hr_head.state_dict())
        nn.init.normal_(network.creff.position_bias)
    return network


def lived_in(module):
    """Give batch normalisation and PReLU other values than the neutral ones they are built with."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0.0, 0.1)
            part.running_var.uniform_(0.7, 1.3)
            part.weight.data.uniform_(0.7, 1.3)
            part.bias.data.normal_(0.0, 0.1)
    return module.eval()


def random_frame(height, width, *, seed=0):
    """``[H, W, 3] uint8``, smooth enough to look like a picture to the network."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, -(-height // 4) + 1, -(-width // 4) + 1, generator=generator)
    fine = nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    return (fine[0].permute(1, 2, 0) * 255).to(torch.uint8).contiguous()
