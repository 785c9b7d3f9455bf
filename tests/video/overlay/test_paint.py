"""Painting a picture: the compiled loop gives the pixels of the two steps in NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_arseg.native.library import kernels_available
from edge_arseg.video.overlay import paint
from edge_arseg.video.overlay.contours import Contours
from edge_arseg.video.overlay.paint import Paint
from edge_arseg.video.overlay.tint import Tint


def regions(rng, height, width, side):
    """A class map of rectangles, with a few pixels of their own and some of no class."""
    coarse = rng.integers(0, 11, (-(-height // side), -(-width // side)), np.uint8)
    class_map = np.repeat(np.repeat(coarse, side, 0), side, 1)[:height, :width].copy()
    class_map[rng.random((height, width)) < 0.01] = 255
    return class_map


def paint_of(size, alpha, width):
    rng = np.random.default_rng(3)
    by_index = np.zeros((256, 3), np.uint8)
    by_index[:11] = rng.integers(0, 256, (11, 3), np.uint8)
    return Tint(size, by_index[:11], alpha), Contours(size, by_index, width) if width else None


@pytest.mark.skipif(not kernels_available(), reason="no compiled kernels: NumPy paints")
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 150),
    side=st.integers(1, 80),
    alpha=st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]),
    line=st.integers(0, 4),
    seed=st.integers(0, 99),
)
def test_the_compiled_loop_paints_the_pixels_of_tint_and_contours(height, width, side, alpha, line, seed):
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    class_map = regions(rng, height, width, side)
    tint, contours = paint_of((height, width), alpha, line)
    expected, painted = np.empty_like(picture), np.full_like(picture, 7)
    tint.lay(picture, class_map, expected)
    if contours is not None:
        contours.draw(expected, class_map)
    Paint(tint, contours).lay(picture, class_map, painted)
    np.testing.assert_array_equal(painted, expected)


def test_without_compiled_kernels_numpy_paints_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    picture, class_map = rng.integers(0, 256, (90, 160, 3), np.uint8), regions(rng, 90, 160, 20)
    painted = np.empty_like(picture), np.empty_like(picture)
    Paint(*paint_of((90, 160), 0.5, 2)).lay(picture, class_map, painted[0])
    monkeypatch.setattr(paint, "kernels_available", lambda: False)
    Paint(*paint_of((90, 160), 0.5, 2)).lay(picture, class_map, painted[1])
    np.testing.assert_array_equal(*painted)


def test_a_picture_of_another_size_is_not_painted():
    with pytest.raises(AssertionError):
        Paint(*paint_of((90, 160), 0.5, 2)).lay(
            np.zeros((90, 158, 3), np.uint8), np.zeros((90, 160), np.uint8), np.zeros((90, 160, 3), np.uint8)
        )
