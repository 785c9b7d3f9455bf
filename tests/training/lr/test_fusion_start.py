"""Where the fusion starts: it compares, it mixes what both branches say, and nothing else."""

import numpy as np
import pytest
import torch
from support.networks.small import own_network
from support.training.pair_stores import patch_records

from edge_arseg.errors import OptionError
from edge_arseg.network.attention.tiled import tiled_attention
from edge_arseg.network.network import Network
from edge_arseg.spec.model import CAMVID_11, CAMVID_NORMALISATION, Model
from edge_arseg.training.lr.augmentation import PairView
from edge_arseg.training.lr.start import (
    FusionStart,
    _features,
    channel_statistics,
    compare,
    give_window,
    pass_through,
    scale_output,
    similarity_spread,
    start_fusion,
)
from edge_arseg.training.lr.views import batch_from_views


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = Network(Model("camvid-compact", "compact", CAMVID_11, CAMVID_NORMALISATION)).eval()
    network.lr.load_state_dict(network.hr.state_dict())
    return network


@pytest.fixture(scope="module")
def batch():
    views = []
    for seed in range(2):
        key, frame, _ = patch_records((64, 96), CAMVID_11, np.random.default_rng(seed))
        views.append(PairView(key["rgb"], frame["rgb"], frame["flow"], frame["label"]))
    return batch_from_views(views)


@pytest.mark.parametrize("sharpness", [0.5, 2.0])
def test_similarities_spread_as_asked(network, batch, sharpness):
    start_fusion(network, [batch], 0.5, FusionStart(0.5, sharpness))
    with torch.no_grad():
        warped, lr = _features(network, batch, 0.5)
        assert similarity_spread(network.creff, warped, lr) == pytest.approx(sharpness, rel=1e-3)


@torch.no_grad()
def test_a_place_is_worth_less_the_further_off_it_is(network, batch):
    start_fusion(network, [batch], 0.5, FusionStart(0.5, 1.0, locality=2.0))
    bias = network.creff.position_bias.view(7, 7)
    assert bias[3, 3] == 0
    torch.testing.assert_close(bias[3], torch.tensor([-6.0, -4.0, -2.0, 0.0, -2.0, -4.0, -6.0]))
    assert float(bias[0, 0]) == pytest.approx(-2.0 * 18**0.5)
    torch.testing.assert_close(bias, bias.T)


@torch.no_grad()
@pytest.mark.parametrize("window", [3, 5])
def test_a_smaller_window_keeps_what_it_has_and_computes_what_the_rest_did_not_add(network, batch, window):
    start_fusion(network, [batch], 0.5, FusionStart(0.5, 1.0, locality=60.0))  # places around the centre weigh nothing
    warped, lr = _features(network, batch, 0.5)
    fused, bias = network.creff(warped, lr), network.creff.position_bias.view(7, 7)
    give_window(network, window)
    margin = (7 - window) // 2
    inner = network.creff.position_bias.view(window, window)
    torch.testing.assert_close(inner, bias[margin : 7 - margin, margin : 7 - margin])
    assert (network.creff.window, network.model.window) == (window, window)
    torch.testing.assert_close(network.creff(warped, lr), fused)
    give_window(network, 7)
    outer = network.creff.position_bias.view(7, 7)
    assert float(outer[0, 0]) == float(inner.min())
    with pytest.raises(OptionError, match="a window of 4 seen, expected one of 3, 5, 7"):
        give_window(network, 4)


@torch.no_grad()
def test_a_local_start_keeps_what_is_small(network, batch):
    """One bright pixel of the keyframe's feature: the paper's start spreads it over the window."""
    key = torch.zeros(1, 64, 20, 20)
    key[..., 10, 10] = 1.0
    bright = []
    for locality in (0.0, 8.0):
        start_fusion(network, [batch], 0.5, FusionStart(0.5, 0.0, locality))
        bright.append(float(network.creff(key, torch.zeros(1, 64, 10, 10))[0, 0, 10, 10]))
    assert bright == pytest.approx([0.5 / 49, 0.5], abs=1e-3)


def test_a_blunt_start_is_the_weighted_mean_of_both_branches(network, batch):
    whole = network.lr(torch.ones(1, 3, 32, 48)).detach()
    start_fusion(network, [batch], 0.5, FusionStart(0.3, 0.0))
    torch.testing.assert_close(network.lr(torch.ones(1, 3, 32, 48)), 0.7 * whole, rtol=1e-4, atol=1e-5)
    constant = torch.full((1, 64, 20, 20), 2.0)
    fused = network.creff(constant, torch.zeros(1, 64, 10, 10))
    torch.testing.assert_close(fused[0, :, 8:12, 8:12], torch.full((64, 4, 4), 0.3 * 2.0))


def test_the_start_finds_a_feature_that_was_moved(network):
    """A pattern in the LR feature, two pixels further on in the keyframe's: a sharp start brings it back."""
    generator = torch.Generator().manual_seed(0)
    pattern = torch.randn(1, 64, 24, 24, generator=generator)
    moved = pattern.roll((1, -2), (2, 3))
    creff = network.creff
    with torch.no_grad():
        compare(creff.query, *channel_statistics([pattern]))
        compare(creff.key, *channel_statistics([moved]))
        pass_through(creff.value, 1.0)
        found = tiled_attention(creff.query(pattern), creff.key(moved), creff.value(moved), 7, creff.position_bias)
    torch.testing.assert_close(found[..., 4:20, 4:20], pattern[..., 4:20, 4:20], rtol=0, atol=0.02)


def test_a_backbone_whose_output_is_a_sum_keeps_it_whole(batch):
    own = own_network()
    image = torch.ones(1, 3, 32, 48)
    before = own.lr(image).detach()
    with pytest.raises(OptionError, match="cannot be scaled"):
        scale_output(own.lr, 0.5, image)
    start_fusion(own, [batch], 0.5, FusionStart())
    torch.testing.assert_close(own.lr(image), before)
    assert not own.creff.value.weight.any()


@pytest.mark.parametrize(
    "start", [FusionStart(1.0), FusionStart(-0.1), FusionStart(0.5, -1.0), FusionStart(0.5, 1.0, -1.0)]
)
def test_starts_that_make_no_sense_are_refused(network, batch, start):
    with pytest.raises(OptionError, match="seen, expected a share"):
        start_fusion(network, [batch], 0.5, start)
