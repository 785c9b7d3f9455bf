"""The cost table: what the paper calls GFLOPs, and where its 67 % come from."""

from functools import lru_cache

import pytest
import torch
from support.networks.small import OWN_MODEL, own_network
from torch.utils.flop_counter import FlopCounterMode

from edge_arseg.compiler.export.macs import cost_from_model
from edge_arseg.errors import OptionError
from edge_arseg.network.variants import TRAINING_SIZES, VARIANTS

SCALES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

GOP_MEANS = {  # GMACs a frame over a GOP of 12, by LR scale
    "camvid-psp18": (56.71, 76.48, 101.89, 132.96, 169.68, 212.04, 260.05, 313.71),
    "camvid-bise18": (6.89, 9.32, 12.71, 16.53, 21.26, 26.46, 32.84, 39.44),
    "cityscapes-psp18": (92.5, 128.0, 170.89, 226.2, 291.7, 365.9, 451.6, 541.9),
    "cityscapes-bise18": (21.1, 28.7, 38.05, 50.6, 64.6, 81.3, 99.6, 119.3),
}

AT_HALF = {  # HR, LR net, fusion; GMACs
    "camvid-psp18": (308.64, 77.04, 1.19 + 0.53 + 4.34),
    "camvid-bise18": (39.12, 9.93, 0.075 + 0.033 + 0.27),
    "cityscapes-psp18": (539.98, 134.92, 0.45 + 0.32 + 1.64),
    "cityscapes-bise18": (118.34, 29.54, 0.23 + 0.16 + 0.82),
}


@lru_cache
def cost(variant, scale):
    height, width = TRAINING_SIZES[variant.partition("-")[0]]
    return cost_from_model(VARIANTS[variant], height=height, width=width, lr_scale=scale)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_mean_over_a_gop_at_every_scale(variant, scale):
    expected = GOP_MEANS[variant][SCALES.index(scale)]
    assert cost(variant, scale).mean_macs(12) / 1e9 == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_part_at_half_size(variant):
    found = cost(variant, 0.5)
    hr, lr, fuse = AT_HALF[variant]
    assert found.hr_macs / 1e9 == pytest.approx(hr, rel=5e-4)  # pooling as matrix products is counted too
    assert found.lr_macs / 1e9 == pytest.approx(lr, rel=5e-4)
    assert found.fuse_macs / 1e9 == pytest.approx(fuse, rel=2e-2)  # the parts are rounded to two digits


def test_camvid_psp18_saves_67_per_cent():
    found = cost("camvid-psp18", 0.5)
    assert found.hr_macs / 1e9 == pytest.approx(308.64, rel=5e-4)
    assert found.non_key_macs / 1e9 == pytest.approx(83.10, rel=5e-4)
    assert found.mean_macs(12) / 1e9 == pytest.approx(101.89, rel=5e-4)
    assert found.saving(12) == pytest.approx(0.670, abs=5e-4)


def test_a_gop_of_one_saves_nothing():
    found = cost("camvid-bise18", 0.5)
    assert found.mean_macs(1) == found.hr_macs
    assert found.saving(1) == 0.0


def test_the_fusion_does_not_depend_on_the_lr_scale():
    assert cost("camvid-bise18", 0.3).fuse_macs == cost("camvid-bise18", 0.9).fuse_macs


@torch.inference_mode()
def test_shapes_alone_cost_what_a_network_with_weights_costs():
    network = own_network()
    counter = FlopCounterMode(display=False)
    with counter:
        key_feature = network.hr(torch.randn(1, 3, 90, 122))
        network.hr_head.classifier(key_feature)
        lr_feature = network.lr(torch.randn(1, 3, 45, 61))
        network.lr_head.classifier(network.fuse(key_feature, torch.randn(90, 122, 2), lr_feature, 90))
    found = cost_from_model(OWN_MODEL, height=90, width=122, lr_scale=0.5)
    assert found.hr_macs + found.non_key_macs == counter.get_total_flops() // 2


def test_the_fusion_by_hand():
    pixels, channels, classes = 12 * 16, 32, 11
    by_hand = pixels * channels * (3 * 9 + 2 * 49 + classes)
    assert cost_from_model(OWN_MODEL, height=90, width=122, lr_scale=0.5).fuse_macs == by_hand


def test_no_weights_are_made():
    """A network of this size would take 20 seconds and 1 TB to compute for real."""
    found = cost_from_model(VARIANTS["camvid-psp18"], height=16384, width=16384, lr_scale=0.5)
    assert found.hr_macs > 1e14


def test_sizes_too_small_are_refused():
    with pytest.raises(OptionError, match="try --size 16x16"):
        cost_from_model(OWN_MODEL, height=8, width=8, lr_scale=0.5)
