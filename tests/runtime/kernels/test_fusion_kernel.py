"""The fusion kernel against a slow oracle, at its edges, and with wrong input."""

import itertools
import os
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_arseg.errors import OptionError
from edge_arseg.runtime.kernels.numba.registers import lanes_of_cpu, registers_of_cpu
from edge_arseg.runtime.kernels.numba_fuse import FusionKernel, FusionShapes, launch
from edge_arseg.runtime.kernels.numba_fuse.geometry import geometry_from_shapes
from edge_arseg.spec.model import WINDOW, WINDOWS

reference = pytest.importorskip("support.golden.fusion_reference", reason="the oracle is written in torch")


def make_case(seed: int, shapes: FusionShapes, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keyframe feature, flow of about ``reach`` luma pixels, LR feature."""
    rng = np.random.default_rng(seed)
    key = rng.normal(size=(shapes.channels, *shapes.feature)).astype(np.float32)
    flow = (rng.normal(size=(*shapes.flow, 2)) * reach).astype(np.float32)
    lr = rng.normal(size=(shapes.channels, *shapes.lr_feature)).astype(np.float32)
    return key, flow, lr


def difference_from_oracle(seed: int, shapes: FusionShapes, reach: float, threads: int = 2) -> float:
    """Largest difference of kernel and oracle as a share of the largest value."""
    key, flow, lr = make_case(seed, shapes, reach)
    weights = reference.random_weights(np.random.default_rng(seed + 1), shapes.channels, window=shapes.window)
    actual = FusionKernel(shapes, weights, threads=threads).run(key, flow, lr)
    expected = reference.fuse(key, flow, lr, weights, shapes.frame_height)
    assert np.isfinite(actual).all()
    return float(np.abs(actual - expected).max() / np.abs(expected).max())


SHAPES = {
    "smallest": FusionShapes(1, (2, 2), (1, 1), (1, 1), 2),
    "smaller than the window": FusionShapes(3, (3, 5), (2, 3), (3, 5), 12),
    "odd channels": FusionShapes(9, (20, 33), (10, 17), (20, 33), 80),
    "one register wide": FusionShapes(8, (31, 16), (15, 8), (62, 32), 248),
    "one past a register": FusionShapes(8, (31, 17), (15, 9), (16, 9), 62),
    "several strips": FusionShapes(4, (17, 700), (9, 350), (9, 350), 17),
    "coarse flow": FusionShapes(16, (40, 50), (20, 25), (3, 2), 40),
    "flow finer than the feature": FusionShapes(16, (24, 40), (12, 20), (192, 320), 192),
    "lr as large as hr": FusionShapes(5, (30, 44), (30, 44), (30, 44), 30),
    "lr larger than hr": FusionShapes(5, (30, 44), (65, 130), (30, 44), 30),
    "lr hardly smaller": FusionShapes(6, (50, 90), (45, 81), (50, 90), 50),
}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("reach", [0.0, 0.6, 12.0])
@pytest.mark.parametrize("name", SHAPES)
def test_kernel_agrees_with_the_oracle(name: str, reach: float, window: int) -> None:
    assert difference_from_oracle(3, replace(SHAPES[name], window=window), reach) < 2e-5


@pytest.mark.parametrize("window", WINDOWS[:-1])
def test_a_smaller_window_is_the_largest_one_whose_outer_places_weigh_nothing(window: int) -> None:
    shapes = replace(SHAPES["odd channels"], window=window)
    key, flow, lr = make_case(3, shapes, 2.0)
    weights = reference.random_weights(np.random.default_rng(4), shapes.channels, window=window)
    same = replace(weights, position_bias=weights.position_bias_in(WINDOW))
    actual = FusionKernel(replace(shapes, window=WINDOW), same).run(key, flow, lr)
    expected = FusionKernel(shapes, weights).run(key, flow, lr)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


def test_weights_for_another_window_and_windows_that_are_not_there_are_refused() -> None:
    weights = reference.random_weights(np.random.default_rng(4), 4, window=3)
    with pytest.raises(OptionError, match=r"position_bias is \[9\], expected \[49\]"):
        FusionKernel(FusionShapes(4, (8, 10), (4, 5), (8, 10), 8), weights)
    with pytest.raises(OptionError, match="window is 4, expected one of 3, 5, 7"):
        FusionShapes(4, (8, 10), (4, 5), (8, 10), 8, window=4)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1000),
    channels=st.integers(1, 20),
    feature=st.tuples(st.integers(2, 40), st.integers(2, 60)),
    lr_feature=st.tuples(st.integers(1, 30), st.integers(1, 40)),
    flow=st.tuples(st.integers(1, 40), st.integers(1, 60)),
    stride=st.sampled_from([1, 4, 8]),
    reach=st.sampled_from([0.0, 0.3, 3.0, 40.0, 1e6]),
    window=st.sampled_from(WINDOWS),
)
def test_kernel_agrees_with_the_oracle_for_any_shape(  # type: ignore[no-untyped-def]
    seed, channels, feature, lr_feature, flow, stride, reach, window
) -> None:
    shapes = FusionShapes(channels, feature, lr_feature, flow, feature[0] * stride, window)
    assert difference_from_oracle(seed, shapes, reach) < 1e-4


def test_similarity_far_from_zero_gives_a_one_hot_softmax_and_no_overflow() -> None:
    shapes = FusionShapes(32, (12, 20), (6, 10), (12, 20), 12)
    key, flow, lr = make_case(5, shapes, 1.0)
    weights = reference.random_weights(np.random.default_rng(6), 32, gain=3.0)
    actual = FusionKernel(shapes, weights).run(key, flow, lr)
    expected = reference.fuse(key, flow, lr, weights, 12)
    assert np.abs(actual - expected).max() / np.abs(expected).max() < 1e-4


def test_zero_motion_shifts_by_half_a_pixel_and_quarters_the_corner() -> None:
    # facts of the published checkpoints: ones warped by zero flow are 0.25 at corners, 0.5 at edges, 1 inside
    warped = reference.warp(np.ones((1, 6, 9), np.float32), np.zeros((6, 9, 2), np.float32), 6)[0]
    assert warped[0, 0] == pytest.approx(0.25)
    assert warped[3, 0] == pytest.approx(0.5)
    assert warped[3, 4] == pytest.approx(1.0)


def test_flow_that_is_not_a_number_stays_where_it_is() -> None:
    shapes = FusionShapes(4, (32, 40), (16, 20), (32, 40), 32)
    key, flow, lr = make_case(7, shapes, 1.0)
    kernel = FusionKernel(shapes, reference.random_weights(np.random.default_rng(8), 4))
    expected = kernel.run(key, flow, lr)
    flow[15:17, 10:20] = (np.nan, np.inf)
    actual = kernel.run(key, flow, lr)
    assert np.isfinite(actual).all()
    touched = (actual != expected).any(axis=(0, 2)).nonzero()[0]
    # one row of cells, one of the convolution, three of the attention
    assert touched.min() >= 15 - 5
    assert touched.max() <= 16 + 5


def test_result_depends_neither_on_threads_nor_on_the_cut() -> None:
    shapes = FusionShapes(10, (64, 300), (32, 150), (16, 75), 256)
    key, flow, lr = make_case(9, shapes, 5.0)
    weights = reference.random_weights(np.random.default_rng(10), 10)
    expected = FusionKernel(shapes, weights, threads=1).run(key, flow, lr)
    for threads in (2, 3):
        np.testing.assert_array_equal(FusionKernel(shapes, weights, threads=threads).run(key, flow, lr), expected)
    cuts = {geometry_from_shapes(shapes, threads).band_height for threads in (1, 2, 8)}
    assert len(cuts) > 1


def test_large_results_written_past_the_cache_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = FusionShapes(3, (20, 121), (10, 60), (20, 121), 20)
    key, flow, lr = make_case(11, shapes, 2.0)
    kernel = FusionKernel(shapes, reference.random_weights(np.random.default_rng(12), 3))
    expected = kernel.run(key, flow, lr)
    monkeypatch.setattr("edge_arseg.runtime.kernels.numba_fuse.kernel._LARGE", 0)
    memory = np.full(key.size + 64, 7, np.float32)
    for start in range(17):  # every alignment of the result
        out = memory[start : start + key.size].reshape(key.shape)
        np.testing.assert_array_equal(kernel.run(key, flow, lr, out), expected)
        assert (memory[:start] == 7).all()
        assert (memory[start + key.size :] == 7).all()
        memory[:] = 7


def test_batch_axis_is_kept_and_out_is_reused_without_frame_sized_memory() -> None:
    shapes = FusionShapes(16, (60, 80), (30, 40), (60, 80), 60)
    key, flow, lr = make_case(13, shapes, 2.0)
    kernel = FusionKernel(shapes, reference.random_weights(np.random.default_rng(14), 16))
    out = np.empty_like(key)[None]
    assert kernel.run(key[None], flow, lr[None], out) is out
    np.testing.assert_array_equal(out[0], kernel.run(key, flow, lr))
    tracemalloc.start()
    kernel.run(key[None], flow, lr[None], out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000 < out.nbytes
    assert kernel.nbytes >= kernel.threads * 4 * kernel.shapes.channels


def test_every_wrong_array_is_named_with_what_was_expected() -> None:
    shapes = FusionShapes(4, (8, 10), (4, 5), (8, 10), 8)
    key, flow, lr = make_case(15, shapes, 1.0)
    kernel = FusionKernel(shapes, reference.random_weights(np.random.default_rng(16), 4))
    with pytest.raises(OptionError, match=r"key_feature is float64\[4, 8, 10\].*lr_feature is float32\[4, 5, 4\]"):
        kernel.run(key.astype(np.float64), flow, lr.transpose(0, 2, 1))
    with pytest.raises(OptionError, match=r"flow is float32\[8, 10, 2\] not contiguous"):
        kernel.run(key, np.asfortranarray(flow), lr)


def test_shapes_and_weights_that_cannot_be_are_refused() -> None:
    with pytest.raises(OptionError, match=r"channels is 0.*feature is \(1, 8\), expected at least 2"):
        FusionShapes(0, (1, 8), (4, 4), (8, 8), 8)
    shapes = FusionShapes(4, (8, 10), (4, 5), (8, 10), 8)
    with pytest.raises(OptionError, match=r"query_weight is \[5, 1, 3, 3\], expected \[4, 1, 3, 3\]; query_bias"):
        FusionKernel(shapes, reference.random_weights(np.random.default_rng(17), 5))
    with pytest.raises(OptionError, match="0 threads"):
        FusionKernel(shapes, reference.random_weights(np.random.default_rng(18), 4), threads=0)


def test_a_cache_that_cannot_be_used_costs_only_the_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def compile_for(cache: bool) -> str:
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function 'fuse_strips': no locator available")
        return "compiled"

    monkeypatch.setattr(launch, "_compile", compile_for)
    launch.compiled_fusion.cache_clear()
    assert launch.compiled_fusion() == "compiled"
    assert asked == [True, False]
    launch.compiled_fusion.cache_clear()


def test_registers_follow_the_instruction_set() -> None:
    assert lanes_of_cpu(["sse2", "avx2", "avx512f"]) == 16
    assert lanes_of_cpu(["sse2", "avx", "avx2"]) == 8
    assert lanes_of_cpu(["neon"]) == 4
    assert registers_of_cpu(["avx2"], "x86_64") == 16
    assert registers_of_cpu(["avx512f"], "x86_64") == 32
    assert registers_of_cpu(["neon"], "aarch64") == 32


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["haswell", "generic"])
def test_other_instruction_sets_compute_the_same(cpu: str) -> None:
    """Compiles again for eight lanes, and for four; on the CPU that runs the test."""
    here = os.path.dirname(__file__)  # noqa: PTH120
    features = {"haswell": "+sse2,+avx,+avx2,+fma", "generic": "+sse2"}[cpu]
    environment = {**os.environ, "NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": features, "EDGE_ARSEG_NESTED": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "agrees or depends", here]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


if os.environ.get("EDGE_ARSEG_NESTED"):
    del test_other_instruction_sets_compute_the_same


@pytest.mark.parametrize("threads", [1, 2])
def test_parts_make_the_whole(threads: int) -> None:
    """Parts of any height, each into an array of its own rows."""
    shapes = FusionShapes(5, (47, 70), (23, 35), (24, 35), 94)
    key, flow, lr = make_case(8, shapes, 3.0)
    kernel = FusionKernel(shapes, reference.random_weights(np.random.default_rng(4), 5), threads=threads)
    whole = kernel.run(key, flow, lr)
    edges = [0, 1, 9, 10, 31, 46, 47]
    parts = [kernel.run(key, flow, lr, rows=(first, last)) for first, last in itertools.pairwise(edges)]
    assert [part.shape for part in parts] == [(5, b - a, 70) for a, b in itertools.pairwise(edges)]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


@pytest.mark.parametrize("rows", [(0, 48), (-1, 5), (5, 5), (6, 5)])
def test_rows_that_are_not_there_are_refused(rows: tuple[int, int]) -> None:
    shapes = FusionShapes(1, (47, 20), (23, 10), (24, 10), 94)
    key, flow, lr = make_case(8, shapes, 3.0)
    kernel = FusionKernel(shapes, reference.random_weights(np.random.default_rng(4), 1), threads=1)
    with pytest.raises(OptionError, match="the feature has rows 0 to 47"):
        kernel.run(key, flow, lr, rows=rows)
