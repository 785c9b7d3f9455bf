"""The GPU kernel's own source, run on the host, against the oracle and against itself."""

import ctypes
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.gpu import host as cuda_host
from support.gpu.host import plan_on_host, run_on_host

from edge_arseg.runtime.kernels.cuda.launch_plan import LaunchPlan, Storage, fixed_shared_bytes, kept_shared_bytes
from edge_arseg.spec.model import WINDOWS
from edge_arseg.spec.weights import FusionShapes, FusionWeights

reference = pytest.importorskip("support.golden.fusion_reference", reason="the oracle is written in torch")

pytestmark = pytest.mark.skipif(cuda_host.compiler() is None, reason="no C++ compiler to run the kernel on the host")

BOUND = {Storage.EXACT: 3e-5, Storage.MIXED: 3e-3, Storage.HALF: 3e-3}
"""Largest difference as a share of the largest value; halves have eleven bits, and the softmax amplifies."""
SHAPES = {
    "smallest": FusionShapes(1, (2, 2), (1, 1), (1, 1), 2),
    "smaller than the window": FusionShapes(3, (3, 5), (2, 3), (3, 5), 12),
    "one tile": FusionShapes(16, (16, 16), (8, 8), (4, 4), 16),
    "one past a tile": FusionShapes(17, (17, 17), (9, 8), (17, 17), 68),
    "lr as large as hr": FusionShapes(5, (12, 20), (12, 20), (12, 20), 12),
    "lr larger than hr": FusionShapes(5, (10, 14), (21, 40), (10, 14), 10),
    "flow finer than the feature": FusionShapes(18, (9, 20), (5, 10), (72, 160), 72),
}
ENTRIES = [
    (Storage.EXACT, 8, "fuse_exact_8"),
    (Storage.HALF, 8, "fuse_plain_8"),  # no tensor cores: what sm_72 runs
    (Storage.HALF, 8, "fuse_half_8"),
    (Storage.HALF, 16, "fuse_half_16"),
    (Storage.MIXED, 8, "fuse_mixed_8"),
    (Storage.MIXED, 16, "fuse_mixed_16"),
]


def make_case(
    seed: int, shapes: FusionShapes, reach: float
) -> tuple[FusionWeights, np.ndarray, np.ndarray, np.ndarray]:
    """Weights, keyframe feature, flow of about ``reach`` luma pixels, LR feature; features that halves can hold."""
    rng = np.random.default_rng(seed)
    key = rng.normal(size=(shapes.channels, *shapes.feature)).astype(np.float16).astype(np.float32)
    flow = (rng.normal(size=(*shapes.flow, 2)) * reach).astype(np.float32)
    lr = rng.normal(size=(shapes.channels, *shapes.lr_feature)).astype(np.float16).astype(np.float32)
    return reference.random_weights(rng, shapes.channels, gain=0.2, window=shapes.window), key, flow, lr


def difference(plan: LaunchPlan, seed: int, reach: float, **options: object) -> float:
    """Largest difference of kernel and oracle as a share of the largest value."""
    weights, *arrays = make_case(seed, plan.shapes, reach)
    actual = run_on_host(plan, weights, *arrays, **options)  # type: ignore[arg-type]
    expected = reference.fuse(*arrays, weights, plan.shapes.frame_height)
    assert np.isfinite(actual).all()
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize("reach", [0.0, 0.6, 12.0])
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(("storage", "rows", "entry"), ENTRIES, ids=[entry for _, _, entry in ENTRIES])
def test_source_agrees_with_the_oracle(storage, rows, entry, name, reach):
    plan = plan_on_host(SHAPES[name], storage, rows=rows)
    assert difference(plan, 3, reach, entry=entry) < BOUND[storage]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1000),
    channels=st.integers(1, 40),
    feature=st.tuples(st.integers(2, 20), st.integers(2, 24)),
    lr_feature=st.tuples(st.integers(1, 20), st.integers(1, 24)),
    flow=st.tuples(st.integers(1, 20), st.integers(1, 24)),
    stride=st.sampled_from([1, 4, 8]),
    reach=st.sampled_from([0.0, 0.3, 3.0, 40.0, 1e6, 1e30]),
    storage=st.sampled_from(list(Storage)),
    window=st.sampled_from(WINDOWS),
)
def test_source_agrees_with_the_oracle_for_any_shape(
    seed, channels, feature, lr_feature, flow, stride, reach, storage, window
):
    shapes = FusionShapes(channels, feature, lr_feature, flow, feature[0] * stride, window)
    # a jump in the flow of 1e6 pixels makes positions of both uncertain by parts of a pixel: bound what is certain
    bound = BOUND[storage] if reach < 1e5 else 1.0
    assert difference(plan_on_host(shapes, storage), seed, reach) < bound


@pytest.mark.parametrize("storage", list(Storage))
def test_result_depends_on_neither_tile_nor_kept_values_nor_order(storage):
    """In reversed order a missing barrier shows, for shared memory starts as "not a number"."""
    shapes = FusionShapes(35, (19, 37), (10, 18), (6, 9), 76)
    weights, *arrays = make_case(7, shapes, 3.0)
    rows = storage.tile_heights[0]
    plan = plan_on_host(shapes, storage, rows=rows)
    assert plan.kept_chunks > 1
    expected = run_on_host(plan, weights, *arrays)
    np.testing.assert_array_equal(run_on_host(plan, weights, *arrays, reversed_order=True), expected)
    for kept in range(plan.kept_chunks):
        numbers = (*plan.numbers[:7], kept, *plan.numbers[8:])
        np.testing.assert_array_equal(run_on_host(replace(plan, numbers=numbers), weights, *arrays), expected)
    for other in storage.tile_heights[1:]:
        taller = plan_on_host(shapes, storage, rows=other)
        np.testing.assert_array_equal(run_on_host(taller, weights, *arrays), expected)


def test_tensor_cores_and_plain_cores_agree():
    shapes = FusionShapes(32, (12, 20), (6, 10), (12, 20), 12)
    weights, *arrays = make_case(8, shapes, 2.0)
    plan = plan_on_host(shapes, Storage.HALF, rows=8)
    plain = run_on_host(plan, weights, *arrays, entry="fuse_plain_8")
    # they differ in weights rounded to halves, and in the last bit of the result
    np.testing.assert_allclose(run_on_host(plan, weights, *arrays), plain, rtol=2e-3, atol=2e-3 * np.abs(plain).max())


def test_zero_motion_shifts_by_half_a_pixel_and_quarters_the_corner():
    """Facts of the published checkpoints: ones warped by zero flow are 0.25 at corners, 0.5 at edges, 1 inside.

    The value convolution passes them on; queries of zero make all 49 weights equal, so that the middle of a large image
    gives 1, and a corner the mean over the 16 of 49 places that are inside.
    """
    shapes = FusionShapes(1, (20, 20), (10, 10), (20, 20), 20)
    centre = np.zeros((1, 1, 3, 3), np.float32)
    centre[0, 0, 1, 1] = 1
    none, nothing = np.zeros((1, 1, 3, 3), np.float32), np.zeros(1, np.float32)
    weights = FusionWeights(none, nothing, centre, nothing, centre, nothing)
    key, flow, lr = np.ones((1, 20, 20)), np.zeros((20, 20, 2)), np.zeros((1, 10, 10))
    fused = run_on_host(plan_on_host(shapes, Storage.EXACT), weights, key, flow, lr)[0]
    assert fused[10, 10] == pytest.approx(1.0, abs=1e-5)
    assert fused[0, 10] == pytest.approx((3 + 0.5) * 7 / 49, abs=1e-5)
    assert fused[0, 0] == pytest.approx((9 + 2 * 3 * 0.5 + 0.25) / 49, abs=1e-5)


def test_bias_does_not_leak_in_from_outside_the_image():
    """Places outside have value 0, not the bias that a convolution of zeros would leave."""
    shapes = FusionShapes(1, (20, 20), (10, 10), (20, 20), 20)
    none, nothing, one = np.zeros((1, 1, 3, 3), np.float32), np.zeros(1, np.float32), np.ones(1, np.float32)
    weights = FusionWeights(none, nothing, none, nothing, none, one)
    arrays = np.zeros((1, 20, 20)), np.zeros((20, 20, 2)), np.zeros((1, 10, 10))
    fused = run_on_host(plan_on_host(shapes, Storage.EXACT), weights, *arrays)[0]
    assert fused[10, 10] == pytest.approx(1.0)
    assert fused[0, 0] == pytest.approx(16 / 49)


@pytest.mark.parametrize(("storage", "rows", "entry"), ENTRIES, ids=[entry for _, _, entry in ENTRIES])
def test_position_bias_counts_in_every_entry(storage, rows, entry):
    """As strong as what it is added to: without it the result is another one, several tiles and chunks wide."""
    shapes = FusionShapes(35, (19, 37), (10, 18), (6, 9), 76)
    weights, *arrays = make_case(13, shapes, 3.0)
    strong = replace(weights, position_bias=np.random.default_rng(14).normal(0, 2.5, 49).astype(np.float32))
    expected = reference.fuse(*arrays, strong, 76)
    without = reference.fuse(*arrays, replace(strong, position_bias=np.zeros(49, np.float32)), 76)
    largest = np.abs(expected).max()
    assert np.abs(expected - without).max() / largest > 0.1
    actual = run_on_host(plan_on_host(shapes, storage, rows=rows), strong, *arrays, entry=entry)
    assert np.abs(actual - expected).max() / largest < BOUND[storage]


@pytest.mark.parametrize(
    ("storage", "entry"), [(Storage.EXACT, None), (Storage.HALF, None), (Storage.HALF, "fuse_plain_8")]
)
def test_a_bias_that_leaves_one_place_shifts_the_values_by_it(storage, entry):
    """Row by row from the upper left; where the place lies outside the image, nothing is added."""
    shapes = FusionShapes(1, (17, 20), (5, 5), (5, 5), 17)
    none, nothing, centre = np.zeros((1, 1, 3, 3), np.float32), np.zeros(1, np.float32), np.zeros((1, 1, 3, 3))
    centre[0, 0, 1, 1] = 1
    key = np.random.default_rng(15).normal(size=(1, 17, 20)).astype(np.float32)
    flow = np.full((5, 5, 2), 0.5, np.float32)  # against the half pixel of the warp: values are the feature itself
    plan = plan_on_host(shapes, storage, rows=8)
    warped = reference.warp(key, flow, 17)[0]
    for place in range(49):
        bias = np.zeros(49, np.float32)
        bias[place] = 100
        weights = FusionWeights(none, nothing, none, nothing, centre, nothing, bias)
        fused = run_on_host(plan, weights, key, flow, np.zeros((1, 5, 5)), entry=entry)[0]
        top, left = divmod(place, 7)
        expected = np.pad(warped, 3)[top : top + 17, left : left + 20]
        np.testing.assert_allclose(fused, expected, atol=4e-3, err_msg=f"place {place}")


def test_flow_that_is_not_a_number_stays_where_it_is():
    shapes = FusionShapes(4, (32, 20), (16, 10), (32, 20), 32)
    weights, key, flow, lr = make_case(9, shapes, 1.0)
    plan = plan_on_host(shapes, Storage.EXACT)
    expected = run_on_host(plan, weights, key, flow, lr)
    flow[15:17, 5:15] = (np.nan, np.inf)
    actual = run_on_host(plan, weights, key, flow, lr)
    assert np.isfinite(actual).all()
    touched = (actual != expected).any(axis=(0, 2)).nonzero()[0]
    # one row of cells, one of the convolution, three of the attention
    assert touched.min() >= 15 - 5
    assert touched.max() <= 16 + 5


def test_similarity_far_from_zero_gives_a_one_hot_softmax_and_no_overflow():
    shapes = FusionShapes(32, (12, 20), (6, 10), (12, 20), 12)
    _, *arrays = make_case(10, shapes, 1.0)
    weights = reference.random_weights(np.random.default_rng(11), 32, gain=3.0)
    expected = reference.fuse(*arrays, weights, 12)
    actual = run_on_host(plan_on_host(shapes, Storage.EXACT), weights, *arrays)
    assert np.abs(actual - expected).max() / np.abs(expected).max() < 1e-4
    assert np.isfinite(run_on_host(plan_on_host(shapes, Storage.HALF), weights, *arrays)).all()


@pytest.mark.parametrize("rows", [8, 16])
def test_both_sides_count_the_same_shared_memory(rows):
    fixed, kept = ctypes.c_int(), ctypes.c_int()
    cuda_host.host_library().shared_bytes(rows, ctypes.byref(fixed), ctypes.byref(kept))
    assert (fixed.value, kept.value) == (fixed_shared_bytes(rows), kept_shared_bytes(rows))
