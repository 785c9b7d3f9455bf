"""The decode kernel against a slow oracle, at its edges, and with wrong input."""

import itertools
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_arseg.errors import OptionError
from edge_arseg.runtime.kernels.numba.registers import LANES
from edge_arseg.runtime.kernels.numba_head import DecodeKernel, DecodeShapes, launch


def resized(values: np.ndarray, size: tuple[int, int], *, align_corners: bool) -> np.ndarray:
    """Resize ``[classes, h, w]`` bilinearly in float64, pixel by pixel of each axis."""
    for axis, target in ((1, size[0]), (2, size[1])):
        source = values.shape[axis]
        slices = []
        for i in range(target):
            if align_corners:
                position = i * (source - 1) / (target - 1) if target > 1 else 0.0
            else:
                position = min(max((i + 0.5) * source / target - 0.5, 0.0), source - 1)
            low = int(position)
            high, share = min(low + 1, source - 1), position - low
            slices.append((1 - share) * values.take(low, axis) + share * values.take(high, axis))
        values = np.stack(slices, axis)
    return values


def scores_of(shapes: DecodeShapes, feature: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Scores at frame size, float64: what the head is defined to be."""
    scores = np.tensordot(weight.astype(np.float64), feature.astype(np.float64), 1) + bias[:, None, None]
    if shapes.upscale != 1:
        larger = (shapes.upscale * shapes.feature[0], shapes.upscale * shapes.feature[1])
        scores = resized(scores, larger, align_corners=False)
    elif shapes.image is not None:
        scores = resized(scores, shapes.image, align_corners=True)
    return resized(scores, shapes.frame, align_corners=True)


def make_case(seed: int, shapes: DecodeShapes, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    feature = rng.normal(size=(shapes.channels, *shapes.feature)).astype(np.float32)
    weight = rng.normal(size=(classes, shapes.channels)).astype(np.float32)
    return feature, weight, rng.normal(size=classes).astype(np.float32)


def regret(seed: int, shapes: DecodeShapes, classes: int, threads: int = 2) -> float:
    """By how much the score of a pixel's class falls short of the best, at most, as a share of the largest score."""
    case = make_case(seed, shapes, classes)
    scores = scores_of(shapes, *case)
    feature, weight, bias = case
    class_map = DecodeKernel(shapes, weight, bias, threads).run(feature)
    chosen = np.take_along_axis(scores, class_map[None].astype(np.intp), 0)[0]
    return float((scores.max(0) - chosen).max() / np.abs(scores).max())


SHAPES = {
    "one pixel": DecodeShapes(1, (1, 1), (1, 1)),
    "one pixel to many": DecodeShapes(3, (1, 1), (5, 40), upscale=8),
    "smaller than a tile": DecodeShapes(5, (3, 4), (24, 32), upscale=8),
    "odd channels": DecodeShapes(33, (9, 11), (72, 88), upscale=8),
    "one past a register": DecodeShapes(4, (20, LANES + 1), (20, LANES + 1)),
    "one short of a register": DecodeShapes(4, (20, LANES - 1), (20, LANES - 1)),
    "frame size already": DecodeShapes(40, (61, 93), (61, 93), image=(61, 93)),
    "more channels than at once": DecodeShapes(70, (17, 31), (17, 31)),
    "upscale by 8": DecodeShapes(16, (23, 30), (184, 240), upscale=8),
    "upscale, then smaller": DecodeShapes(16, (12, 16), (90, 122), upscale=8),
    "upscale by 4, then larger": DecodeShapes(16, (12, 16), (50, 67), upscale=4),
    "straight to the frame": DecodeShapes(8, (23, 31), (90, 122)),
    "hardly larger": DecodeShapes(8, (44, 63), (45, 64)),
    "twice": DecodeShapes(8, (23, 31), (90, 122), image=(45, 61)),
    "twice, smaller between": DecodeShapes(8, (46, 62), (90, 122), image=(45, 61)),
    "frame smaller than the feature": DecodeShapes(8, (45, 61), (20, 17)),
    "only rows change": DecodeShapes(8, (12, 61), (24, 61)),
    "only columns change": DecodeShapes(8, (24, 31), (24, 61)),
    "larger and back": DecodeShapes(1, (1, 4), (1, 4), image=(1, 11)),
    "image of one row": DecodeShapes(2, (4, 6), (4, 6), image=(1, 6)),
}


@pytest.mark.parametrize("classes", [1, 2, 11, 12, 19])
@pytest.mark.parametrize("name", SHAPES)
def test_kernel_agrees_with_the_oracle(name: str, classes: int) -> None:
    assert regret(classes, SHAPES[name], classes) < 1e-6


@pytest.mark.parametrize("classes", [255, 256])
def test_many_classes_give_the_best_class(classes: int) -> None:
    assert regret(5, DecodeShapes(6, (12, 20), (96, 160), upscale=8), classes) < 1e-6
    assert regret(6, DecodeShapes(6, (30, 41), (30, 41)), classes) < 1e-6


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_sizes_give_the_best_class(data: st.DataObject) -> None:
    side = st.integers(1, 50)
    image = data.draw(st.none() | st.tuples(side, side))
    upscale = data.draw(st.integers(1, 9))
    shapes = DecodeShapes(
        data.draw(st.integers(1, 40)),
        data.draw(st.tuples(side, side)),
        data.draw(st.tuples(side, side)),
        upscale,
        image,
    )
    assert regret(data.draw(st.integers(0, 99)), shapes, data.draw(st.integers(1, 30))) < 1e-6


@settings(max_examples=30)
@given(height=st.integers(1, 12), width=st.integers(1, 40), seed=st.integers(0, 99))
def test_without_resizing_it_is_numpys_argmax_with_ties(height: int, width: int, seed: int) -> None:
    """Small integers: sums are exact and full of ties, of which the first class wins."""
    rng = np.random.default_rng(seed)
    feature = rng.integers(-1, 2, (3, height, width)).astype(np.float32)
    weight, bias = rng.integers(-1, 2, (9, 3)).astype(np.float32), rng.integers(0, 2, 9).astype(np.float32)
    expected = (np.tensordot(weight, feature, 1) + bias[:, None, None]).argmax(0)
    kernel = DecodeKernel(DecodeShapes(3, (height, width), (height, width)), weight, bias, 1)
    np.testing.assert_array_equal(kernel.run(feature), expected)


def test_equal_classes_go_to_the_first() -> None:
    feature, weight, bias = make_case(0, SHAPES["upscale by 8"], 1)
    kernel = DecodeKernel(SHAPES["upscale by 8"], np.repeat(weight, 13, 0), np.repeat(bias, 13), 2)
    assert not kernel.run(feature).any()


def test_half_pixel_and_aligned_corners_by_hand() -> None:
    """Class 1 wins where the ramp 0, 1 is above 0.45: half-pixel centres reach it at 0.5, aligned corners at 4 / 7."""
    feature = np.array([[[0.0, 1.0]]], np.float32)
    weight, bias = np.array([[0.0], [1.0]], np.float32), np.array([0.45, 0.0], np.float32)
    half_pixel = DecodeKernel(DecodeShapes(1, (1, 2), (4, 8), upscale=4), weight, bias).run(feature)
    assert half_pixel.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1]] * 4
    low = np.array([0.3, 0.0], np.float32)
    half_pixel = DecodeKernel(DecodeShapes(1, (1, 2), (4, 8), upscale=4), weight, low).run(feature)
    assert half_pixel.tolist() == [[0, 0, 0, 1, 1, 1, 1, 1]] * 4
    aligned = DecodeKernel(DecodeShapes(1, (1, 2), (1, 8)), weight, low).run(feature)
    assert aligned.tolist() == [[0, 0, 0, 1, 1, 1, 1, 1]]
    higher = np.array([0.58, 0.0], np.float32)
    half_pixel = DecodeKernel(DecodeShapes(1, (1, 2), (4, 8), upscale=4), weight, higher).run(feature)
    assert half_pixel.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1]] * 4
    aligned = DecodeKernel(DecodeShapes(1, (1, 2), (1, 8)), weight, higher).run(feature)
    assert aligned.tolist() == [[0, 0, 0, 0, 0, 1, 1, 1]]


@pytest.mark.parametrize("name", ["upscale by 8", "frame size already", "twice", "upscale, then smaller"])
def test_the_number_of_threads_changes_nothing(name: str) -> None:
    feature, weight, bias = make_case(8, SHAPES[name], 12)
    maps = [DecodeKernel(SHAPES[name], weight, bias, threads).run(feature) for threads in (1, 2, 3, 40)]
    for other in maps[1:]:
        np.testing.assert_array_equal(other, maps[0])


def test_a_huge_score_stays_where_it_is() -> None:
    """It touches the pixels interpolated from it, which lie between its neighbours' centres, and no others."""
    feature = np.zeros((1, 6, 40), np.float32)
    feature[0, 2, 20] = 1e30
    weight, bias = np.array([[0.0], [1.0]], np.float32), np.array([1, 0], np.float32)
    class_map = DecodeKernel(DecodeShapes(1, (6, 40), (48, 320), upscale=8), weight, bias, 1).run(feature)
    expected = np.zeros((48, 320), np.uint8)
    expected[12:28, 156:172] = 1
    np.testing.assert_array_equal(class_map, expected)


def test_the_result_goes_where_it_is_wanted_and_nothing_of_frame_size_is_allocated() -> None:
    shapes = DecodeShapes(8, (60, 80), (480, 640), upscale=8)
    feature, weight, bias = make_case(1, shapes, 12)
    kernel = DecodeKernel(shapes, weight, bias, 2)
    out = np.empty((480, 640), np.uint8)
    kernel.run(feature[None], out)
    tracemalloc.start()
    assert kernel.run(feature, out) is out
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000
    assert kernel.nbytes < 1_000_000


@pytest.mark.parametrize(
    ("feature", "out", "message"),
    [
        (np.zeros((8, 5, 7)), None, r"feature is float64\[8, 5, 7\], expected float32\[8, 5, 7\]"),
        (np.zeros((8, 5, 8), np.float32), None, r"feature is float32\[8, 5, 8\]"),
        (np.zeros((2, 8, 5, 7), np.float32), None, r"feature is float32\[2, 8, 5, 7\]"),
        (np.zeros((8, 7, 5), np.float32).transpose(0, 2, 1), None, "not contiguous"),
        (np.zeros((8, 5, 7), np.float32), np.zeros((40, 56), np.int8), r"out is int8\[40, 56\], expected uint8"),
    ],
)
def test_wrong_arrays_are_refused(feature: np.ndarray, out: np.ndarray | None, message: str) -> None:
    kernel = DecodeKernel(
        DecodeShapes(8, (5, 7), (40, 56), upscale=8), np.zeros((2, 8), np.float32), np.zeros(2, np.float32), 1
    )
    with pytest.raises(OptionError, match=message):
        kernel.run(feature, out)


@pytest.mark.parametrize(("classes", "channels", "biases"), [(0, 8, 0), (257, 8, 257), (3, 7, 3), (3, 8, 4)])
def test_a_classifier_that_does_not_fit_is_refused(classes: int, channels: int, biases: int) -> None:
    with pytest.raises(OptionError, match=r"expected \[classes, 8\] and \[classes\], 1 to 256 classes"):
        DecodeKernel(
            DecodeShapes(8, (5, 7), (5, 7)), np.zeros((classes, channels), np.float32), np.zeros(biases, np.float32)
        )


def test_no_threads_are_refused() -> None:
    with pytest.raises(OptionError, match="0 threads"):
        DecodeKernel(DecodeShapes(1, (5, 7), (5, 7)), np.zeros((1, 1), np.float32), np.zeros(1, np.float32), threads=0)


def test_a_cache_that_cannot_be_used_costs_a_compilation_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def failing(cache: bool) -> str:
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return "compiled"

    monkeypatch.setattr(launch, "_compile", failing)
    launch.compiled_decode.cache_clear()
    try:
        assert launch.compiled_decode() == "compiled"
    finally:
        launch.compiled_decode.cache_clear()
    assert asked == [True, False]


def test_without_numba_the_error_says_what_to_install() -> None:
    code = (
        "import os, sys; sys.modules['numba'] = None; os.environ['NUMBA_CPU_NAME'] = 'other'\n"
        "from edge_arseg.errors import EnvironmentUnfitError\n"
        "try:\n    import edge_arseg.runtime.kernels.numba_head\n"
        "except EnvironmentUnfitError as error:\n    "
        "from edge_arseg.installation import install_extra; assert install_extra('cpu') in str(error)\n"
        "else:\n    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("threads", [1, 2])
def test_parts_make_the_whole(threads: int) -> None:
    shapes = DecodeShapes(7, (53, 70), (53, 70))
    feature, weight, bias = make_case(2, shapes, 5)
    kernel = DecodeKernel(shapes, weight, bias, threads)
    whole = kernel.run(feature)
    assert kernel.divisible
    edges = [0, 3, 9, 30, 53]
    parts = [
        kernel.run(np.ascontiguousarray(feature[:, first:last]), rows=(first, last))
        for first, last in itertools.pairwise(edges)
    ]
    assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize(
    ("shapes", "rows"),
    [
        (DecodeShapes(2, (20, 30), (40, 60)), (0, 20)),  # rows between those of the feature
        (DecodeShapes(2, (20, 30), (20, 30)), (0, 21)),
        (DecodeShapes(2, (20, 30), (20, 30)), (3, 3)),
        (DecodeShapes(2, (20, LANES - 1), (20, LANES - 1)), (0, 1)),  # smaller than a tile
    ],
)
def test_rows_that_cannot_be_decoded_alone_are_refused(shapes: DecodeShapes, rows: tuple[int, int]) -> None:
    feature, weight, bias = make_case(2, shapes, 5)
    with pytest.raises(OptionError, match="cannot decode rows"):
        DecodeKernel(shapes, weight, bias, 1).run(feature, rows=rows)
