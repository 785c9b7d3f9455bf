"""CReFF: depthwise convolutions, local attention, and the LR feature added."""

import pytest
import torch
from torch.nn import functional as F

from edge_arseg.network.attention.local import local_attention
from edge_arseg.network.creff import Creff


@pytest.fixture
def creff():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        creff = Creff(6).eval()
        torch.nn.init.normal_(creff.position_bias)
        yield creff


def test_is_the_lr_feature_plus_attention_of_it_to_the_warped_feature(creff):
    warped, lr_feature = torch.randn(1, 6, 12, 16), torch.randn(1, 6, 6, 8)
    lr = F.interpolate(lr_feature, (12, 16), mode="bilinear", align_corners=True)

    def depthwise(x, conv):
        return F.conv2d(x, conv.weight, conv.bias, padding=1, groups=6)

    attended = local_attention(
        depthwise(lr, creff.query), depthwise(warped, creff.key), depthwise(warped, creff.value), 7, creff.position_bias
    )
    with torch.no_grad():
        torch.testing.assert_close(creff(warped, lr_feature), lr + attended, rtol=0, atol=1e-6)


@torch.no_grad()
def test_without_values_the_lr_feature_remains(creff):
    creff.value.weight.zero_()
    creff.value.bias.zero_()
    lr_feature = torch.randn(1, 6, 9, 11)
    assert torch.equal(creff(torch.randn(1, 6, 9, 11), lr_feature), lr_feature)


@torch.no_grad()
def test_uses_the_warped_feature(creff):
    lr_feature = torch.randn(1, 6, 6, 8)
    one, other = (creff(torch.randn(1, 6, 12, 16), lr_feature) for _ in range(2))
    assert (one - other).abs().max() > 1e-3


@torch.no_grad()
@pytest.mark.parametrize("size", [(2, 2), (3, 9), (13, 17)])
def test_any_two_sizes_fit_together(creff, size):
    assert creff(torch.randn(2, 6, *size), torch.randn(2, 6, 1, 2)).shape == (2, 6, *size)


def test_has_the_weights_of_the_published_one_and_a_position_bias_of_zero():
    creff = Creff(64)
    assert creff.position_bias.shape == (49,)
    assert not creff.position_bias.any()
    shapes = {key: tuple(value.shape) for key, value in creff.state_dict().items() if key != "position_bias"}
    expected = {f"{part}.weight": (64, 1, 3, 3) for part in ("query", "key", "value")}
    assert shapes == expected | {f"{part}.bias": (64,) for part in ("query", "key", "value")}
