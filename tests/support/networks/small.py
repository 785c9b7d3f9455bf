"""A small network of our own for tests, with weights that make every layer count."""

import sys
from pathlib import Path

import torch
from torch import nn

from edge_arseg.network.network import Network
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model
from edge_arseg.testing.networks import lived_in

EXAMPLES = Path(__file__).parents[3] / "examples"
OWN = "own_backbone:build"
OWN_MODEL = Model("camvid-own", OWN, CAMVID_11, CAMVID_NORMALISATION)

if str(EXAMPLES) not in sys.path:
    sys.path.append(str(EXAMPLES))


def own_network(*, seed=12):
    """The network on ``examples/own_backbone.py``, in ``eval`` mode; one seed always gives the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = lived_in(Network(OWN_MODEL))
        network.lr_head.load_state_dict(network.hr_head.state_dict())
        nn.init.normal_(network.creff.position_bias)
    return network
