import io
import pickle
from dataclasses import replace

import numpy as np
import pytest
from support.bundles.small import small_classifier, small_golden, small_weights

from edge_arseg.errors import BundleError
from edge_arseg.spec.weights import DecoderWeights, FusionWeights, GoldenFrames, arrays_from_bytes, bytes_from_arrays


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('the pickle ran')",)


def test_golden_frames_come_back_from_their_bytes():
    golden = small_golden()
    again = arrays_from_bytes(GoldenFrames, bytes_from_arrays(golden), where="x")
    assert np.array_equal(again.distances, golden.distances)
    assert again.frames.dtype == np.uint8


def test_missing_arrays_are_refused():
    with pytest.raises(BundleError, match="not a file of GoldenFrames"):
        arrays_from_bytes(GoldenFrames, bytes_from_arrays(small_weights()), where="x")


def test_weights_of_before_the_position_bias_have_none():
    """Bundles exported earlier have six arrays."""
    weights, file = small_weights(), io.BytesIO()
    names = [name for name in FusionWeights.__dataclass_fields__ if name != "position_bias"]
    np.savez(file, **{name: getattr(weights, name) for name in names})
    again = arrays_from_bytes(FusionWeights, file.getvalue(), where="x")
    assert np.array_equal(again.position_bias, np.zeros(49, np.float32))
    assert np.array_equal(again.key_weight, weights.key_weight)


@pytest.mark.parametrize("content", [b"", b"PK", b"junk" * 100])
def test_other_content_is_refused(content):
    with pytest.raises(BundleError, match=r"gop\.npz: not a file of FusionWeights"):
        arrays_from_bytes(FusionWeights, content, where="gop.npz")


@pytest.mark.parametrize("cut", [10, 200, 500])
def test_truncated_content_is_refused(cut):
    with pytest.raises(BundleError):
        arrays_from_bytes(GoldenFrames, bytes_from_arrays(small_golden())[:-cut], where="x")


def test_a_pickle_inside_does_not_run():
    file = io.BytesIO()
    np.savez(file, **{name: np.array([Bomb()], object) for name in FusionWeights.__dataclass_fields__})
    assert pickle.dumps(Bomb()) != b""
    with pytest.raises(BundleError, match="pickle"):
        arrays_from_bytes(FusionWeights, file.getvalue(), where="x")


@pytest.mark.parametrize(
    ("name", "array", "fault"),
    [
        ("frames", np.zeros((0, 16, 24, 3), np.uint8), "frames: uint8[0, 16, 24, 3] seen"),
        ("frames", np.zeros((2, 16, 24, 3), np.float32), "frames: float32[2, 16, 24, 3] seen"),
        ("hr_maps", np.zeros((2, 24, 16), np.uint8), "hr_maps: uint8[2, 24, 16] seen, uint8[2, 16, 24] expected"),
        ("distances", np.zeros(3, np.int64), "distances: int64[3] seen, one int64 a frame expected"),
        ("flows", np.zeros((2, 4, 6), np.float32), "flows: float32[2, 4, 6] seen"),
    ],
)
def test_golden_frames_of_another_shape_are_refused(name, array, fault):
    with pytest.raises(BundleError) as caught:
        arrays_from_bytes(GoldenFrames, bytes_from_arrays(replace(small_golden(), **{name: array})), where="x")
    assert fault in str(caught.value)


def test_weights_of_another_shape_or_type_are_refused():
    weights = replace(small_weights(), key_bias=np.zeros(7, np.float32), value_weight=np.zeros((8, 1, 3, 3)))
    with pytest.raises(BundleError) as caught:
        arrays_from_bytes(FusionWeights, bytes_from_arrays(weights), where="x")
    assert "key_bias: float32[7] seen, float32[8] expected" in str(caught.value)
    assert "value_weight: float64[8, 1, 3, 3] seen, float32[8, 1, 3, 3] expected" in str(caught.value)
    content = bytes_from_arrays(replace(small_classifier(), bias=np.zeros(3, np.float32)))
    with pytest.raises(BundleError, match=r"bias: float32\[3\] seen, float32\[11\] expected"):
        arrays_from_bytes(DecoderWeights, content, where="x")


@pytest.mark.parametrize("places", [16, 48, 81])
def test_position_biases_of_no_window_are_refused(places):
    weights = replace(small_weights(), position_bias=np.zeros(places, np.float32))
    with pytest.raises(BundleError, match=rf"position_bias: float32\[{places}\] seen, float32\[49\] expected"):
        arrays_from_bytes(FusionWeights, bytes_from_arrays(weights), where="x")


def test_a_smaller_window_lies_in_the_middle_of_a_larger_one_whose_other_places_weigh_nothing():
    weights = replace(small_weights(), position_bias=np.arange(9, dtype=np.float32))
    assert weights.window == 3
    square = weights.position_bias_in(7).reshape(7, 7)
    np.testing.assert_array_equal(square[2:5, 2:5].reshape(-1), weights.position_bias)
    square[2:5, 2:5] = -np.inf
    assert (np.exp(square) == 0).all()
    np.testing.assert_array_equal(weights.position_bias_in(3), weights.position_bias)
