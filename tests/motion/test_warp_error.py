import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_arseg.errors import OptionError
from edge_arseg.motion import KeyframePolicy, MotionChain, kernels
from edge_arseg.motion.warp_error import WarpError
from edge_arseg.spec.frame import VECTOR_DTYPE, Branch, Frame

HEIGHT, WIDTH = 96, 128


def waves(height, width, dx=0.0, dy=0.0):
    """Smooth waves, whose content at ``p`` was at ``p + (dx, dy)``."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    return (127 + 60 * np.sin((x + dx) / 9) + 60 * np.cos((y + dy) / 7)).round().astype(np.uint8)


def constant_flow(dx, dy, block=4, size=(HEIGHT, WIDTH)):
    return np.full((-(-size[0] // block), -(-size[1] // block), 2), (dx, dy), np.float32)


@pytest.mark.parametrize("block", [2, 4, 8])
def test_the_right_flow_has_a_small_error_and_a_wrong_one_a_large_one(block):
    error = WarpError(HEIGHT, WIDTH, block=block)
    assert error.of(waves(HEIGHT, WIDTH), constant_flow(0, 0, block)) is None
    error.key(waves(HEIGHT, WIDTH))
    moved = waves(HEIGHT, WIDTH, 10, -6)
    right = error.of(moved, constant_flow(10, -6, block))
    assert error.of(waves(HEIGHT, WIDTH), constant_flow(0, 0, block)) < 0.3
    assert right < 6  # the border has no content in the keyframe
    assert error.of(moved, constant_flow(0, 0, block)) > 30
    assert error.of(moved, constant_flow(-10, 6, block)) > 30


def test_a_uniform_difference_is_the_error():
    error = WarpError(HEIGHT, WIDTH)
    error.key(np.full((HEIGHT, WIDTH), 100, np.uint8))
    assert error.of(np.full((HEIGHT, WIDTH), 107, np.uint8), constant_flow(0, 0)) == 7
    assert error.of(np.full((HEIGHT, WIDTH), 93, np.uint8), constant_flow(1e6, -1e6)) == 7


def test_bars_do_not_count():
    error = WarpError(HEIGHT, WIDTH)
    error.key(np.full((HEIGHT, WIDTH), 100, np.uint8))
    barred = np.full((HEIGHT, WIDTH), 0, np.uint8)
    barred[24:72] = 104
    assert error.of(barred, constant_flow(0, 0), (24, 0, 48, WIDTH)) == 4
    assert error.of(barred, constant_flow(0, 0)) == pytest.approx(52)


def test_a_frame_of_another_size_is_refused():
    error = WarpError(HEIGHT, WIDTH)
    with pytest.raises(OptionError, match=r"\(96, 127\).*expected \(96, 128\)"):
        error.key(np.zeros((HEIGHT, WIDTH - 1), np.uint8))
    with pytest.raises(OptionError, match="at least 8x8"):
        WarpError(7, 100)


def test_the_chain_measures_every_frame_against_its_keyframe():
    def frame(index):
        vectors = np.zeros(1, VECTOR_DTYPE)
        vectors["x"], vectors["y"], vectors["width"], vectors["height"] = WIDTH // 2, HEIGHT // 2, WIDTH, HEIGHT
        vectors["flow_x"] = 2
        luma = waves(HEIGHT, WIDTH, 2 * index)
        return Frame(index, index / 25, np.repeat(luma[..., None], 3, axis=2), vectors)

    seen = []

    def policy(statistics):
        seen.append(statistics.warp_error)
        return KeyframePolicy(3)(statistics)

    chain = MotionChain(HEIGHT, WIDTH, policy=policy)
    branches = [chain.follow(frame(index))[0] for index in range(5)]
    assert branches == [Branch.HR, Branch.LR, Branch.LR, Branch.HR, Branch.LR]
    assert seen[0] is None
    assert max(seen[1:]) < 4
    assert MotionChain(HEIGHT, WIDTH).follow(Frame(0, 0.0, np.zeros((0, 0, 3), np.uint8)))[1].warp_error is None


@pytest.mark.skipif(not kernels.COMPILED, reason="nothing compiled here")
@given(
    size=st.tuples(st.integers(8, 90), st.integers(8, 90)),
    block=st.sampled_from([2, 4]),
    reach=st.sampled_from([0.0, 3.0, 200.0]),
    shown=st.none() | st.tuples(*4 * [st.integers(0, 40)]),
    channels=st.sampled_from([None, 3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_compiled_loops_give_what_numpy_gives(size, block, reach, shown, channels, seed):
    random = np.random.default_rng(seed)
    shape = size if channels is None else (*size, channels)
    key, picture = random.integers(0, 256, (2, *shape), np.uint8)
    flow = random.normal(0, 1, (-(-size[0] // block), -(-size[1] // block), 2)).astype(np.float32) * np.float32(reach)
    results = []
    for compiled in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernels, "COMPILED", compiled)
            error = WarpError(*size, block=block)
            error.key(key)
            results.append(error.of(picture, flow, shown))
    assert results[0] == (None if results[1] is None else pytest.approx(results[1], rel=1e-12))


def test_the_compiled_loops_refuse_arrays_that_do_not_go_together():
    picture, cells, flow = (
        np.zeros((16, 16, 3), np.uint8),
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 2), np.float32),
    )
    grid, part = (slice(0, 4), slice(0, 4)), (0, 0, 16, 16)
    for wrong in ((picture[:15], 1, 4, cells, flow), (picture, 3, 4, cells, flow), (picture, 1, 4, cells, flow[:3])):
        with pytest.raises(OptionError, match=r"seen|channel"):
            kernels.compare_cells(*wrong, grid, part)
    with pytest.raises(OptionError, match="15x16 pixels seen, expected 16x16"):
        kernels.smooth_cells(picture[:15], 1, 4, cells)


@pytest.mark.timed
def test_it_takes_less_than_a_third_of_a_millisecond():
    error, luma = WarpError(720, 960), waves(720, 960)
    flow = constant_flow(5, 3, size=(720, 960))
    error.key(luma)
    times = []
    for _ in range(60):
        start = time.perf_counter()
        error.of(luma, flow)
        times.append(time.perf_counter() - start)
    assert sorted(times)[20] < 0.3e-3
