"""The warp's odd normalisation, which published checkpoints were trained with."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_arseg.network.warp import flow_at_feature, warp


def sampled(feature, flow):
    """The same in float64 and plain loops over corners: ``feature [C, h, w]``, ``flow [2, h, w]``."""
    channels, height, width = feature.shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    x = (x + flow[0]) * width / (width - 1) - 0.5
    y = (y + flow[1]) * height / (height - 1) - 0.5
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    out = np.zeros((channels, height, width))
    for dy in (0, 1):
        for dx in (0, 1):
            row, column = top + dy, left + dx
            weight = (1 - abs(y - row)) * (1 - abs(x - column))
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            out += feature[:, row.clip(0, height - 1), column.clip(0, width - 1)] * (weight * inside)
    return out


def still(height, width):
    return torch.zeros(1, 2, height, width)


def test_zero_flow_halves_the_border_and_quarters_the_corners():
    warped = warp(torch.ones(1, 1, 12, 16), still(12, 16))[0, 0]
    inside = warped[1:-1, 1:-1]
    torch.testing.assert_close(inside, torch.ones_like(inside), rtol=0, atol=1e-5)
    for edge in (warped[0, 1:-1], warped[-1, 1:-1], warped[1:-1, 0], warped[1:-1, -1]):
        torch.testing.assert_close(edge, torch.full_like(edge, 0.5), rtol=0, atol=1e-5)
    corners = warped[[0, 0, -1, -1], [0, -1, 0, -1]]
    torch.testing.assert_close(corners, torch.full((4,), 0.25), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("x", "shift"), [(1, -0.499), (240, -0.25), (480, 0.0), (958, 0.499)])
def test_zero_flow_shifts_by_up_to_half_a_pixel(x, shift):
    ramp = torch.arange(960.0).expand(1, 1, 4, 960)
    warped = warp(ramp, still(4, 960))
    assert warped[0, 0, 1, x].item() == pytest.approx(x + shift, abs=1.5e-3)


def test_the_first_component_is_x_and_points_to_the_source():
    feature = torch.zeros(1, 1, 9, 9)
    feature[0, 0, 4, 6] = 1.0
    right, down = still(9, 9), still(9, 9)
    right[:, 0], down[:, 1] = 2.0, 2.0
    # At the centre nothing is shifted: what lies 2 to the right is found there.
    assert warp(feature, right)[0, 0, 4].argmax() == 4
    assert warp(feature, down)[0, 0, :, 6].argmax() == 2


sizes = st.integers(2, 24)


@settings(max_examples=80)
@given(height=sizes, width=sizes, reach=st.sampled_from([0.0, 0.5, 3.0, 40.0]), seed=st.integers(0, 999))
def test_agrees_with_a_sampler_in_double_precision(height, width, reach, seed):
    generator = torch.Generator().manual_seed(seed)
    feature = torch.randn(1, 3, height, width, generator=generator)
    flow = reach * torch.randn(1, 2, height, width, generator=generator)
    expected = sampled(feature[0].double().numpy(), flow[0].double().numpy())
    np.testing.assert_allclose(warp(feature, flow)[0].numpy(), expected, rtol=0, atol=2e-4)


@pytest.mark.parametrize("far", [1e3, -1e3, 1e6, -1e6])
def test_flows_that_point_outside_find_nothing(far):
    flow = torch.full((1, 2, 6, 8), far)
    assert torch.equal(warp(torch.ones(1, 2, 6, 8), flow), torch.zeros(1, 2, 6, 8))


def test_the_height_alone_scales_both_axes():
    flow = torch.zeros(90, 122, 2)
    flow[..., 0], flow[..., 1] = 8.0, -4.0
    brought = flow_at_feature(flow, feature_size=(12, 16), frame_height=90)
    assert brought.shape == (1, 2, 12, 16)
    np.testing.assert_allclose(brought[0, 0], 8.0 * 12 / 90, rtol=1e-6)  # and not 8 * 16 / 122
    np.testing.assert_allclose(brought[0, 1], -4.0 * 12 / 90, rtol=1e-6)


def test_a_flow_of_full_size_is_not_resampled():
    flow = torch.randn(16, 24, 2)
    brought = flow_at_feature(flow, feature_size=(16, 24), frame_height=16)
    np.testing.assert_array_equal(brought[0], flow.permute(2, 0, 1))


def test_a_flow_on_blocks_spans_the_frame_corner_to_corner():
    flow = torch.zeros(3, 4, 2)
    flow[0, 0], flow[2, 3] = torch.tensor([1.0, 2.0]), torch.tensor([5.0, 6.0])
    brought = flow_at_feature(flow, feature_size=(12, 16), frame_height=12)
    np.testing.assert_allclose(brought[0, :, 0, 0], [1.0, 2.0], rtol=1e-6)
    np.testing.assert_allclose(brought[0, :, -1, -1], [5.0, 6.0], rtol=1e-6)
