import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from motion.motion_vectors import any_vectors, covering, vectors

from edge_arseg.errors import OptionError
from edge_arseg.motion import Accumulator, kernels
from edge_arseg.spec.frame import Frame, MotionSource

both = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
stride = st.sampled_from([2, 4, 8])
quarter = st.integers(-60, 60).map(lambda n: n / 4)


def sampled(flow, y, x):
    """Bilinear, edge repeated: the definition, one point at a time."""
    rows, columns = flow.shape[:2]
    y, x = min(max(y, 0), rows - 1), min(max(x, 0), columns - 1)
    y0, x0 = int(y), int(x)
    y1, x1 = min(y0 + 1, rows - 1), min(x0 + 1, columns - 1)
    wy, wx = y - y0, x - x0
    top = flow[y0, x0] * (1 - wx) + flow[y0, x1] * wx
    return top * (1 - wy) + (flow[y1, x0] * (1 - wx) + flow[y1, x1] * wx) * wy


def flow_of(accumulator):
    return accumulator.field(MotionSource.RECODE).flow


@both
@given(stride, st.lists(st.tuples(quarter, quarter), min_size=1, max_size=6))
def test_constant_flows_add(block, steps):
    accumulator = Accumulator(70, 90, block=block)
    for x, y in steps:
        assert accumulator.step(covering(70, 90, x, y)) == 0.0
    np.testing.assert_allclose(flow_of(accumulator), np.broadcast_to(np.sum(steps, 0), flow_of(accumulator).shape))


@both
@given(stride, any_vectors())
def test_zero_motion_is_the_identity(block, rows):
    accumulator = Accumulator(70, 90, block=block)
    accumulator.step(rows)
    before = flow_of(accumulator).copy()
    accumulator.step(covering(70, 90, 0, 0))
    np.testing.assert_allclose(flow_of(accumulator), before, atol=1e-5)


@both
@given(st.sampled_from([2, 8]), any_vectors(70), any_vectors(70))
def test_two_steps_are_what_the_definition_says(block, first, second):
    accumulator = Accumulator(48, 64, block=block)
    accumulator.step(first)
    before = flow_of(accumulator).astype(np.float64)
    alone = Accumulator(48, 64, block=block)
    alone.step(second)
    step = flow_of(alone)
    accumulator.step(second)
    expected = np.empty_like(before)
    for y, x in np.ndindex(before.shape[:2]):
        expected[y, x] = step[y, x] + sampled(before, y + step[y, x, 1] / block, x + step[y, x, 0] / block)
    np.testing.assert_allclose(flow_of(accumulator), expected, atol=1e-3)


def test_backward_flow_of_a_moving_scene():
    # Content moves by (+6, +3.5) a frame, so it is found at (-6, -3.5) in the frame before.
    accumulator = Accumulator(720, 960)
    seen = {}
    for t in range(1, 8):
        accumulator.step(covering(720, 960, -6, -3.5))
        seen[t] = flow_of(accumulator)[90, 120].tolist()
    assert (seen[1], seen[4], seen[7]) == ([-6, -3.5], [-24, -14], [-42, -24.5])


@pytest.mark.parametrize(
    ("height", "width", "block", "shape"),
    [(720, 960, 4, (180, 240, 2)), (540, 960, 8, (68, 120, 2)), (361, 641, 2, (181, 321, 2)), (1, 1, 4, (1, 1, 2))],
)
def test_the_flow_is_cropped_to_the_frame(height, width, block, shape):
    field = Accumulator(height, width, block=block).field(MotionSource.ZERO)
    assert field.flow.shape == shape
    assert field.flow.dtype == np.float32
    assert (field.block, field.source) == (block, MotionSource.ZERO)


def test_the_intra_ratio_is_of_the_frame_not_of_its_margin():
    # 24x24 pixels lie in a 32x32 coded frame: 9 of 16 cells are the frame's own.
    accumulator = Accumulator(24, 24)
    assert accumulator.step(vectors((8, 8, 16, 16, 0, 0))) == pytest.approx(5 / 9)
    assert accumulator.step(None) == 1.0
    assert accumulator.step(covering(24, 24, 1, 1)) == 0.0


def test_reset_makes_the_last_frame_the_keyframe():
    accumulator = Accumulator(64, 64)
    accumulator.step(covering(64, 64, 9, 9))
    accumulator.reset()
    assert np.count_nonzero(flow_of(accumulator)) == 0
    accumulator.step(covering(64, 64, 1, 2))
    np.testing.assert_array_equal(np.unique(flow_of(accumulator).reshape(-1, 2), axis=0), [[1, 2]])


def test_dropped_frames_are_followed_too():
    rgb = np.zeros((64, 64, 3), np.uint8)
    missed = covering(64, 64, 1, 0), covering(64, 64, 2, 0)
    frame = Frame(3, 0.1, rgb, covering(64, 64, 4, 0), missed=missed, source=MotionSource.CODEC)
    field = Accumulator(64, 64).follow(frame)
    np.testing.assert_array_equal(field.flow[..., 0], 7)
    assert (field.intra_ratio, field.source) == (0.0, MotionSource.CODEC)


def test_a_break_among_dropped_frames_is_not_hidden():
    rgb = np.zeros((64, 64, 3), np.uint8)
    frame = Frame(2, 0.1, rgb, covering(64, 64, 4, 0), missed=(None,))
    assert Accumulator(64, 64).follow(frame).intra_ratio == 1.0


def test_a_field_outlives_the_next_step():
    accumulator = Accumulator(64, 64)
    accumulator.step(covering(64, 64, 1, 0))
    first = flow_of(accumulator)
    accumulator.step(covering(64, 64, 1, 0))
    assert np.all(first[..., 0] == 1)


def test_steps_allocate_nothing_of_the_size_of_a_frame():
    import tracemalloc

    accumulator, rows = Accumulator(720, 960), covering(720, 960, 1.25, -2, side=8)[:-500]
    accumulator.step(rows)
    tracemalloc.start()
    for _ in range(3):
        accumulator.step(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The flow alone is 180 x 240 x 8 = 345,600 bytes; the block grid, 64 times smaller than the frame, may cost that.
    assert peak < (345_600 if kernels.COMPILED else 2_000_000)


@pytest.mark.parametrize("block", [0, 1, 3, 16])
def test_other_cell_sizes_are_refused(block):
    with pytest.raises(OptionError, match="expected one of 2, 4, 8"):
        Accumulator(64, 64, block=block)


@pytest.mark.parametrize("height", [64, 72])
def test_a_part_at_the_very_end_of_the_frame_has_a_cell_of_its_own(height):
    """The last row of pixels lies behind the centres of all cells: a share of no cells was asked for."""
    accumulator = Accumulator(height, 96)
    assert accumulator.step(covering(height, 96, 0, 0), shown=(height - 1, 0, 1, 96)) == 0.0
    assert accumulator.step(None, shown=(0, 95, height, 1)) == 1.0


def test_a_part_that_is_the_whole_frame_counts_as_the_whole_frame():
    """Also in the last row and column of cells, whose centres lie behind the frame."""
    accumulator = Accumulator(90, 98)
    half = covering(48, 112, 0, 0)
    assert accumulator.step(half, shown=(0, 0, 90, 98)) == accumulator.step(half) == 0.5
