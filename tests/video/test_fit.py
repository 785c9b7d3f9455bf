import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_arseg.spec.frame import VECTOR_DTYPE
from edge_arseg.video.fit import Fit
from edge_arseg.video.vectors.recode import still_vectors

BLOCK = np.array([(24, 8, 16, 16, 4.0, -2.0)], VECTOR_DTYPE)  # x 16..32, y 0..16


def test_a_picture_as_coded_keeps_its_vectors():
    assert Fit(48, 64, 0).vectors(BLOCK, 48, 64) is BLOCK
    assert Fit(96, 64, 1).vectors(None, 48, 64) is None


def test_scaling_scales_place_size_and_flow():
    assert Fit(96, 32, 0).vectors(BLOCK, 48, 64).tolist() == [(12, 16, 8, 32, 2.0, -4.0)]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_turned_vectors_cover_the_turned_block_and_point_the_turned_way(turns):
    picture = np.zeros((48, 64), int)
    picture[0:16, 16:32] = 1
    x, y, width, height, flow_x, flow_y = Fit(48, 64, turns).vectors(BLOCK, 48, 64)[0].tolist()
    turned = np.rot90(picture, turns)
    found = np.zeros_like(turned)
    found[y - height // 2 : y - height // 2 + height, x - width // 2 : x - width // 2 + width] = 1
    np.testing.assert_array_equal(found, turned)
    # A flow of (+4, -2) points right and up; a quarter turn to the left makes that up and left.
    assert (flow_x, flow_y) == {0: (4, -2), 1: (-2, -4), 2: (-4, 2), 3: (2, 4)}[turns]


@given(st.integers(16, 200), st.integers(16, 200), st.integers(16, 200), st.integers(16, 200), st.integers(0, 3))
def test_blocks_that_tile_a_picture_tile_the_fitted_one(coded_height, coded_width, height, width, turns):
    fitted = Fit(height, width, turns).vectors(still_vectors(coded_height, coded_width), coded_height, coded_width)
    if turns % 2:
        height, width = width, height
    cover = np.zeros((height, width), int)
    for x, y, w, h, *_ in fitted.tolist():
        left, top = x - w // 2, y - h // 2
        cover[max(top, 0) : max(top + h, 0), max(left, 0) : max(left + w, 0)] += 1
    assert cover.min() == cover.max() == 1
