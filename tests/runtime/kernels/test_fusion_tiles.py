"""The kernel that fuses and decodes with AMX against the oracle of the fusion and the head's own kernel."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.golden.fusion import FRAME_HEIGHT, GOLDEN, difference, golden_case

from edge_arseg.errors import OptionError
from edge_arseg.native.features import compiled_features
from edge_arseg.native.library import TILES
from edge_arseg.native.tiles import tiles_allowed
from edge_arseg.runtime.kernels.numba_head import DecodeKernel, DecodeShapes
from edge_arseg.spec.model import WINDOWS
from edge_arseg.spec.weights import DecoderWeights, FusionShapes, FusionWeights

if not tiles_allowed() or not set(TILES) <= compiled_features():
    pytest.skip("no AMX with bfloat16", allow_module_level=True)

from edge_arseg.runtime.kernels.numba_fuse import FusionKernel
from edge_arseg.runtime.kernels.numba_tiles import TileKernel
from edge_arseg.runtime.kernels.numba_tiles.geometry import LINE

reference = pytest.importorskip("support.golden.fusion_reference", reason="the oracle is written in torch")


def make_case(seed: int, shapes: FusionShapes, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    key = rng.normal(size=(shapes.channels, *shapes.feature)).astype(np.float32)
    flow = (rng.normal(size=(*shapes.flow, 2)) * reach).astype(np.float32)
    return key, flow, rng.normal(size=(shapes.channels, *shapes.lr_feature)).astype(np.float32)


def fused_by(
    shapes: FusionShapes, weights: FusionWeights, threads: int, *case: np.ndarray, terms: int = 2
) -> np.ndarray:
    """Return the fused feature: the scores of a classifier that has a class for each channel and changes nothing."""
    same = DecoderWeights(np.eye(shapes.channels, dtype=np.float32), np.zeros(shapes.channels, np.float32))
    decode = DecodeShapes(shapes.channels, shapes.feature, shapes.feature)
    tiles = TileKernel(shapes, weights, decode, same, threads, terms=terms)
    tiles.run(*case)
    g, (height, width) = tiles._geometry, shapes.feature
    return tiles._scores[: g.classes * g.score_plane].reshape(g.classes, -1, g.score_row)[:, :height, :width]


SHAPES = {
    "smallest": FusionShapes(1, (2, 2), (1, 1), (1, 1), 2),
    "smaller than the window": FusionShapes(3, (3, 5), (2, 3), (3, 5), 12),
    "odd channels": FusionShapes(9, (20, 33), (10, 17), (20, 33), 80),
    "channels of a tile and one": FusionShapes(65, (11, 24), (6, 12), (11, 24), 44),
    "several strips": FusionShapes(200, (7, 150), (4, 75), (9, 80), 17),
    "coarse flow": FusionShapes(16, (40, 50), (20, 25), (3, 2), 40),
    "lr larger than hr": FusionShapes(5, (30, 44), (65, 130), (30, 44), 30),
}


@pytest.mark.parametrize("reach", [0.0, 0.6, 12.0])
@pytest.mark.parametrize("name", SHAPES)
def test_fused_feature_agrees_with_the_oracle(name: str, reach: float) -> None:
    shapes = SHAPES[name]
    case = make_case(3, shapes, reach)
    weights = reference.random_weights(np.random.default_rng(4), shapes.channels)
    assert difference(fused_by(shapes, weights, 2, *case), reference.fuse(*case, weights, shapes.frame_height)) < 2e-5


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1000),
    channels=st.integers(1, 80),
    feature=st.tuples(st.integers(2, 30), st.integers(2, 60)),
    lr_feature=st.tuples(st.integers(1, 30), st.integers(1, 40)),
    flow=st.tuples(st.integers(1, 40), st.integers(1, 60)),
    reach=st.sampled_from([0.0, 0.3, 3.0, 40.0, 1e6]),
    window=st.sampled_from(WINDOWS),
)
def test_fused_feature_agrees_for_any_shape(seed, channels, feature, lr_feature, flow, reach, window) -> None:  # type: ignore[no-untyped-def]
    shapes = FusionShapes(channels, feature, lr_feature, flow, feature[0] * 4, window)
    case = make_case(seed, shapes, reach)
    weights = reference.random_weights(np.random.default_rng(seed + 1), channels, window=window)
    assert difference(fused_by(shapes, weights, 2, *case), reference.fuse(*case, weights, shapes.frame_height)) < 1e-4


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="no golden files beside the repository")
def test_fused_feature_agrees_with_the_float32_kernel_on_features_of_published_weights() -> None:
    case, weights = golden_case("camvid-bise18")
    key, flow, lr = case["hr_feature"], case["flow"], case["lr_feature"]
    shapes = FusionShapes(len(key), key.shape[1:], lr.shape[1:], flow.shape[:2], FRAME_HEIGHT)
    expected = FusionKernel(shapes, weights).run(key, flow, lr)
    assert difference(fused_by(shapes, weights, 2, key, flow, lr), expected) < 2e-5


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("classes", [1, 11, 40])
def test_class_map_is_that_of_both_kernels_in_turn(classes: int, threads: int) -> None:
    """Also where one class fills most of the frame, and nothing is computed there."""
    shapes = FusionShapes(24, (23, 37), (12, 18), (46, 74), 92)
    key, flow, lr = make_case(5, shapes, 3.0)
    key[:] = np.cumsum(np.cumsum(key, 1), 2) / 20
    weights = reference.random_weights(np.random.default_rng(6), 24)
    rng = np.random.default_rng(7)
    decode = DecodeShapes(24, (23, 37), (92, 150), upscale=8)
    classifier = DecoderWeights(rng.normal(size=(classes, 24)).astype(np.float32), np.zeros(classes, np.float32))
    expected = DecodeKernel(decode, classifier.weight, classifier.bias, 1).run(
        FusionKernel(shapes, weights, 1).run(key, flow, lr)
    )
    class_map = TileKernel(shapes, weights, decode, classifier, threads).run(key, flow, lr)
    assert np.mean(class_map == expected) > 0.9995
    assert len(np.unique(class_map)) >= min(classes, 4)


def test_one_term_is_bfloat16_with_eight_bits_of_a_number() -> None:
    """Three in a thousand of the largest; two terms, which are the default, come to a hundredth of that."""
    shapes = FusionShapes(64, (20, 33), (10, 17), (20, 33), 80)
    case = make_case(3, shapes, 2.0)
    weights = reference.random_weights(np.random.default_rng(4), 64)
    expected = FusionKernel(shapes, weights).run(*case)
    short = difference(fused_by(shapes, weights, 2, *case, terms=1), expected)
    assert 1e-4 < short < 2e-2
    assert difference(fused_by(shapes, weights, 2, *case), expected) < short / 100


def test_a_position_bias_counts_places_outside_the_image_too() -> None:
    shapes = FusionShapes(8, (10, 12), (5, 6), (10, 12), 40)
    case = make_case(8, shapes, 1.0)
    weights = reference.random_weights(np.random.default_rng(9), 8)
    bias = np.random.default_rng(1).normal(0, 3, 49).astype(np.float32)
    weights = FusionWeights(*(getattr(weights, name) for name in list(weights.__slots__)[:6]), bias)
    assert difference(fused_by(shapes, weights, 2, *case), FusionKernel(shapes, weights).run(*case)) < 2e-5


def test_a_keyframe_is_kept_until_another_one_is_told() -> None:
    shapes = FusionShapes(6, (12, 20), (6, 10), (12, 20), 48)
    key, flow, lr = make_case(2, shapes, 1.0)
    weights = reference.random_weights(np.random.default_rng(3), 6)
    classifier = DecoderWeights(np.eye(6, dtype=np.float32), np.zeros(6, np.float32))
    tiles = TileKernel(shapes, weights, DecodeShapes(6, (12, 20), (48, 80), 4), classifier, 2)
    first = tiles.run(key, flow, lr)
    other = -key
    np.testing.assert_array_equal(tiles.run(other, flow, lr, same_key=True), first)
    assert (tiles.run(other, flow, lr) != first).any()
    np.testing.assert_array_equal(tiles.run(key, flow, lr), first)


def test_a_frame_is_finished_where_no_other_thread_ever_has_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """The helper takes a piece of work and is away: the caller comes back, waits for it, and does the rest."""
    shapes = FusionShapes(6, (40, 20), (20, 10), (40, 20), 160)
    case = make_case(2, shapes, 1.0)
    weights = reference.random_weights(np.random.default_rng(3), 6)
    classifier = DecoderWeights(np.eye(6, dtype=np.float32), np.zeros(6, np.float32))
    tiles = TileKernel(shapes, weights, DecodeShapes(6, (40, 20), (160, 80), 4), classifier, 2)
    expected = tiles.run(*case)
    calls, segment = [], tiles._segment

    def slow(table: int) -> None:
        calls.append(table)
        if len(calls) == 1:  # a piece of the first stage is taken, and not done before the caller has come back
            tiles._counters[0] += 1
            segment(table)
            tiles._counters[LINE] += 1
            return
        segment(table)

    monkeypatch.setattr(tiles, "_segment", slow)
    tiles._pool = None

    np.testing.assert_array_equal(tiles.run(*case), expected)
    assert len(calls) == 2


def test_every_wrong_array_is_named_with_what_was_expected() -> None:
    shapes = FusionShapes(4, (8, 10), (4, 5), (8, 10), 8)
    key, flow, lr = make_case(15, shapes, 1.0)
    weights = reference.random_weights(np.random.default_rng(16), 4)
    classifier = DecoderWeights(np.ones((2, 4), np.float32), np.zeros(2, np.float32))
    tiles = TileKernel(shapes, weights, DecodeShapes(4, (8, 10), (32, 40), 4), classifier)
    with pytest.raises(OptionError, match=r"key_feature is float64\[4, 8, 10\].*out is uint8\[40, 32\]"):
        tiles.run(key.astype(np.float64), flow, lr, np.zeros((40, 32), np.uint8))
    wrong = DecoderWeights(np.ones((2, 5), np.float32), np.zeros(2, np.float32))
    with pytest.raises(OptionError, match="weights are not for 4 channels"):
        TileKernel(shapes, weights, DecodeShapes(4, (8, 10), (32, 40), 4), wrong)
