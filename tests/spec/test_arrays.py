import io
import pickle

import numpy as np
import pytest
from bundle_files import small_golden, small_weights

from edge_arseg.errors import BundleError
from edge_arseg.spec.arrays import arrays_from_bytes, bytes_from_arrays
from edge_arseg.spec.fusion import FusionWeights
from edge_arseg.spec.golden import GoldenFrames


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('the pickle ran')",)


def test_round_trip():
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
