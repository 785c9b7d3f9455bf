import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_arseg.motion import BlockFlow, fill_blocks
from edge_arseg.motion.fill import _fill_holes
from edge_arseg.motion.kernels import fill_holes

both = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@st.composite
def holed(draw):
    rows, columns = draw(st.integers(2, 24)), draw(st.integers(2, 24))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    flow = (rng.normal(0, 20, (rows, columns)) + 1j * rng.normal(0, 20, (rows, columns))).astype(np.complex64)
    valid = rng.random((rows, columns)) < draw(st.sampled_from([0.005, 0.1, 0.5, 0.95]))
    return BlockFlow(np.where(valid, flow, 0), valid)


def slowly(flow, valid):
    out = flow.astype(np.complex128)
    for y, x in np.argwhere(~valid):
        radius = 1
        while valid.any():
            window = slice(max(y - radius, 0), y + radius + 1), slice(max(x - radius, 0), x + radius + 1)
            if valid[window].any():
                out[y, x] = flow[window][valid[window]].mean(dtype=np.complex128)
                break
            radius = 2 * radius + 1
    return out


@both
@given(holed())
def test_is_the_mean_of_the_smallest_window_with_a_vector(blocks):
    expected = slowly(blocks.flow, blocks.valid)
    fill_blocks(blocks)
    np.testing.assert_allclose(blocks.flow, expected, atol=1e-4)


@both
@given(holed())
def test_leaves_valid_cells_and_the_mask_alone(blocks):
    flow, valid = blocks.flow.copy(), blocks.valid.copy()
    fill_blocks(blocks)
    np.testing.assert_array_equal(blocks.flow[valid], flow[valid])
    np.testing.assert_array_equal(blocks.valid, valid)


@both
@given(holed())
def test_filling_twice_changes_nothing(blocks):
    fill_blocks(blocks)
    once = blocks.flow.copy()
    fill_blocks(blocks)
    np.testing.assert_array_equal(blocks.flow, once)


def test_one_hole_by_hand():
    flow = np.array([[1, 2, 3], [4, 0, 6], [7, 8, 9j]], np.complex64)
    blocks = BlockFlow(flow, flow != 0)
    fill_blocks(blocks)
    assert blocks.flow[1, 1] == pytest.approx((1 + 2 + 3 + 4 + 6 + 7 + 8 + 9j) / 8)


def test_a_far_vector_fills_the_whole_frame():
    flow, valid = np.zeros((90, 120), np.complex64), np.zeros((90, 120), bool)
    flow[0, 0], valid[0, 0] = 3 - 4j, True
    fill_blocks(BlockFlow(flow, valid))
    assert np.all(flow == 3 - 4j)


def test_without_any_vector_everything_stands_still():
    blocks = BlockFlow(np.full((4, 4), 9, np.complex64), np.zeros((4, 4), bool))
    fill_blocks(blocks)
    assert not blocks.flow.any()


def test_both_implementations_agree(implementation):
    if implementation == "numpy":
        pytest.skip("compares the two once")
    rng = np.random.default_rng(1)
    valid = rng.random((46, 60)) < 0.3
    flow = np.where(valid, rng.normal(0, 9, valid.shape) * (1 + 2j), 0).astype(np.complex64)
    a, b = flow.copy(), flow.copy()
    fill_holes(a, valid, np.zeros((47, 61), np.complex128), np.zeros((47, 61), np.int64))
    _fill_holes(b, valid)
    np.testing.assert_allclose(a, b, atol=1e-5)
