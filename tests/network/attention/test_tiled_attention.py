"""The attention that training uses: the same numbers as the other one, and true gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from edge_arseg.network.attention.local import local_attention, shifted_attention
from edge_arseg.network.attention.tiled import TILE, tiled_attention


def inputs(batch, channels, height, width, *, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, channels, height, width, generator=generator, dtype=dtype) for _ in range(3)]


def bias_of(window, *, dtype=torch.float32):
    return torch.randn(window**2, generator=torch.Generator().manual_seed(window), dtype=dtype)


def padded(query, key, value, bias, window):
    pad = (window // 2,) * 4
    return shifted_attention(query, F.pad(key, pad), F.pad(value, pad), window, bias)


@settings(max_examples=40)
@given(
    batch=st.integers(1, 3),
    channels=st.integers(1, 5),
    height=st.integers(1, 2 * TILE + 3),
    width=st.integers(1, 2 * TILE + 3),
    window=st.sampled_from([1, 3, 7, 9]),
    channels_last=st.booleans(),
    seed=st.integers(0, 99),
)
def test_agrees_with_local_attention(batch, channels, height, width, window, channels_last, seed):
    query, key, value = inputs(batch, channels, height, width, seed=seed)
    bias = bias_of(window)
    expected = local_attention(query, key, value, window, bias)
    if channels_last:
        query, key, value = (x.contiguous(memory_format=torch.channels_last) for x in (query, key, value))
    torch.testing.assert_close(tiled_attention(query, key, value, window, bias), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("window", [3, 7])
@pytest.mark.parametrize("size", [(3, 5), (9, 17)])
def test_has_the_gradients_of_the_plain_operators(size, window):
    tensors = [*inputs(2, 3, *size, dtype=torch.float64), bias_of(window, dtype=torch.float64)]
    ours = [x.requires_grad_() for x in tensors]
    plain = [x.detach().clone().requires_grad_() for x in ours]
    weight = inputs(2, 3, *size, seed=1, dtype=torch.float64)[0]
    (tiled_attention(*ours[:3], window, ours[3]) * weight).sum().backward()
    (padded(*plain, window) * weight).sum().backward()
    for one, other in zip(ours, plain, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=1e-12)


def test_gradients_are_those_of_small_differences():
    inputs_and_bias = [*inputs(1, 2, 5, 9, dtype=torch.float64), bias_of(3, dtype=torch.float64)]
    tensors = [x.requires_grad_() for x in inputs_and_bias]
    assert torch.autograd.gradcheck(lambda q, k, v, b: tiled_attention(q, k, v, 3, b), tensors)


def test_neighbours_outside_the_image_stay_in_the_softmax():
    zeros, ones = torch.zeros(1, 2, 9, 9), torch.ones(1, 2, 9, 9)
    out = tiled_attention(zeros, zeros, ones, 7, torch.zeros(49))[0, 0]
    assert out[4, 4].item() == pytest.approx(49 / 49)
    assert out[0, 4].item() == pytest.approx(28 / 49)
    assert out[0, 0].item() == pytest.approx(16 / 49)


def test_autocast_decides_in_what_the_products_are_made():
    query, key, value = inputs(1, 8, 12, 12)
    exact = tiled_attention(query, key, value, 7, bias_of(7))
    with torch.autocast("cpu", torch.bfloat16):
        coarse = tiled_attention(query, key, value, 7, bias_of(7))
    assert coarse.dtype == torch.float32
    assert 1e-4 < float((coarse - exact).abs().max()) < 0.1


@pytest.mark.parametrize("window", [4, 11])
def test_windows_that_do_not_fit_the_tiles_are_refused(window):
    with pytest.raises(ValueError, match=f"window {window} seen, expected an odd number up to 9"):
        tiled_attention(*inputs(1, 1, 4, 4), window, torch.zeros(window**2))
