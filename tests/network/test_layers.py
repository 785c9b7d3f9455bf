"""Pooling by constant matrices, and resizing."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from edge_arseg.network.layers import ConvBnRelu, pool_to, pooling_matrix, resize

sides = st.integers(1, 61)


@settings(max_examples=150)
@given(height=sides, width=sides, bins=st.sampled_from([1, 2, 3, 6, 7]), seed=st.integers(0, 99))
def test_pooling_equals_adaptive_pooling_at_every_size(height, width, bins, seed):
    x = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(pool_to(x, bins), F.adaptive_avg_pool2d(x, bins), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(45, 60), (64, 128), (63, 84), (90, 120)])
@pytest.mark.parametrize("bins", [1, 2, 3, 6])
def test_pooling_at_the_sizes_of_the_published_models(size, bins):
    x = torch.randn(1, 4, *size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(pool_to(x, bins), F.adaptive_avg_pool2d(x, bins), rtol=1e-5, atol=1e-6)


def test_bins_overlap_where_they_do_not_divide_the_length():
    third, half = 1.0 / 3.0, 1.0 / 2.0
    expected = [[third, third, third, 0, 0], [0, 0, third, third, third]]
    torch.testing.assert_close(pooling_matrix(5, 2), torch.tensor(expected))
    torch.testing.assert_close(pooling_matrix(2, 3), torch.tensor([[1.0, 0.0], [half, half], [0.0, 1.0]]))


def test_resizing_to_the_same_size_is_nothing_at_all():
    x = torch.randn(1, 2, 5, 7)
    assert resize(x, (5, 7), align_corners=True) is x
    assert resize(x, (5, 7), align_corners=False) is x


def test_resizing_with_aligned_corners_keeps_the_corners():
    x = torch.tensor([[[[1.0, 3.0], [5.0, 9.0]]]])
    grown = resize(x, (3, 3), align_corners=True)
    torch.testing.assert_close(grown[0, 0], torch.tensor([[1.0, 2.0, 3.0], [3.0, 4.5, 6.0], [5.0, 7.0, 9.0]]))


def test_resizing_with_half_pixel_centres_does_not():
    grown = resize(torch.tensor([[[[0.0, 4.0]]]]), (1, 4), align_corners=False)
    torch.testing.assert_close(grown[0, 0, 0], torch.tensor([0.0, 1.0, 3.0, 4.0]))


@pytest.mark.parametrize(("kernel", "stride", "size"), [(1, 1, (9, 7)), (3, 1, (9, 7)), (3, 2, (5, 4)), (7, 2, (5, 4))])
def test_convolutions_keep_the_size_or_halve_it_rounding_up(kernel, stride, size):
    layer = ConvBnRelu(3, 4, kernel=kernel, stride=stride).eval()
    out = layer(torch.randn(1, 3, 9, 7))
    assert out.shape == (1, 4, *size)
    assert out.min() >= 0.0
