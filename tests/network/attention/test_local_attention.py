"""Local attention: what it computes, in strips of any height, and what it costs."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from edge_arseg.network.attention import local as module
from edge_arseg.network.attention.local import local_attention, shifted_attention


def loops(query, key, value, window, bias):
    """Pixel by pixel in float64, as the facts of the released code say it."""
    channels, height, width = query.shape
    reach = window // 2
    out = np.zeros((channels, height, width))
    for y in range(height):
        for x in range(width):
            similarity, values = np.zeros(window**2), np.zeros((window**2, channels))
            for k in range(window**2):
                row, column = y + k // window - reach, x + k % window - reach
                if 0 <= row < height and 0 <= column < width:
                    similarity[k] = query[:, y, x] @ key[:, row, column]
                    values[k] = value[:, row, column]
            similarity += bias
            weight = np.exp(similarity - similarity.max())
            out[:, y, x] = (weight / weight.sum()) @ values
    return out


def inputs(batch, channels, height, width, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(batch, channels, height, width, generator=generator) for _ in range(3))


@settings(max_examples=25)
@given(
    channels=st.integers(1, 5),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    window=st.sampled_from([1, 3, 7]),
    seed=st.integers(0, 99),
)
def test_agrees_with_explicit_loops(channels, height, width, window, seed):
    query, key, value = inputs(1, channels, height, width, seed=seed)
    numbers = [x[0].double().numpy() for x in (query, key, value)]
    seen = local_attention(query, key, value, window)[0].numpy()
    np.testing.assert_allclose(seen, loops(*numbers, window, 0.0), rtol=0, atol=2e-5)
    bias = torch.randn(window**2, generator=torch.Generator().manual_seed(seed))
    seen = local_attention(query, key, value, window, bias)[0].numpy()
    np.testing.assert_allclose(seen, loops(*numbers, window, bias.numpy()), rtol=0, atol=2e-5)


def test_neighbours_outside_the_image_stay_in_the_softmax():
    zeros, ones = torch.zeros(1, 2, 9, 9), torch.ones(1, 2, 9, 9)
    out = local_attention(zeros, zeros, ones, 7)[0, 0]
    assert out[4, 4].item() == pytest.approx(49 / 49)
    assert out[0, 4].item() == pytest.approx(28 / 49)
    assert out[0, 0].item() == pytest.approx(16 / 49)


def test_similarities_are_not_scaled_by_the_channels():
    query = torch.ones(1, 4, 1, 2)
    key = torch.zeros(1, 4, 1, 2)
    key[..., 1] = 0.5  # similarity 0.5 * 4 = 2 with the right pixel, 0 with the left
    value = torch.tensor([0.0, 1.0]).expand(1, 4, 1, 2)
    out = local_attention(query, key, value, 3)
    assert out[0, 0, 0, 0].item() == pytest.approx(np.exp(2.0) / (np.exp(2.0) + 8.0), rel=1e-6)


def test_large_similarities_do_not_overflow():
    query, key, value = inputs(1, 4, 6, 6)
    out = local_attention(100.0 * query, 100.0 * key, value, 7)
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("strip_bytes", [1, 4 * 5 * 13 * 4, 4 * 5 * 13 * 7, 10**9])
def test_the_strip_height_changes_nothing(monkeypatch, strip_bytes):
    query, key, value = inputs(1, 5, 11, 13)
    expected = local_attention(query, key, value, 7)
    monkeypatch.setattr(module, "STRIP_BYTES", strip_bytes)
    torch.testing.assert_close(local_attention(query, key, value, 7), expected, rtol=0, atol=1e-6)


def test_images_of_a_batch_do_not_see_each_other():
    query, key, value = inputs(3, 4, 6, 10)
    together = local_attention(query, key, value, 7)
    for n in range(3):
        alone = local_attention(query[n : n + 1], key[n : n + 1], value[n : n + 1], 7)
        torch.testing.assert_close(together[n : n + 1], alone, rtol=0, atol=1e-6)


def test_the_shifted_form_is_the_same():
    query, key, value = inputs(2, 4, 8, 9)
    shifted = shifted_attention(query, F.pad(key, (3, 3, 3, 3)), F.pad(value, (3, 3, 3, 3)), 7)
    torch.testing.assert_close(local_attention(query, key, value, 7), shifted, rtol=0, atol=1e-6)


def test_its_cost_is_similarity_and_weighting_of_every_neighbour():
    query, key, value = inputs(2, 6, 8, 10)
    counter = FlopCounterMode(display=False)
    with counter:
        local_attention(query, key, value, 7)
    assert counter.get_total_flops() == 2 * (2 * 6 * 8 * 10 * 49) * 2  # 2 FLOPs a MAC, batch of 2


def test_shapes_alone_are_enough():
    meta = torch.empty(1, 64, 720, 960, device="meta")
    out = local_attention(meta, meta, meta, 7)
    assert out.shape == meta.shape
    assert out.device.type == "meta"


def test_is_a_well_behaved_operator():
    torch.library.opcheck(local_attention, (*inputs(1, 3, 5, 6), 7))
