"""The overlay picture: colours, border, strip, sizes; and the font of its legend."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_arseg.errors import OptionError
from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.spec.model import CAMVID_11, CITYSCAPES_19, ClassInfo
from edge_arseg.video.font import draw_text, text_mask
from edge_arseg.video.overlay import Overlay

YELLOW = (255, 196, 0)


def _result(rgb, class_map, branch=Branch.LR, distance=3):
    return SegmentedFrame(Frame(0, 0.0, rgb), class_map, branch, distance, 12.3)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 255),
    st.tuples(*[st.integers(0, 255)] * 3),
    st.floats(0, 1),
)
def test_a_pixel_is_the_weighted_mean_of_frame_and_class(red, green, blue, color, alpha):
    overlay = Overlay((4, 6), (ClassInfo("thing", color),), alpha=alpha, legend=False)
    rgb = np.broadcast_to(np.array([red, green, blue], np.uint8), (4, 6, 3))
    drawn = overlay.draw(_result(rgb, np.zeros((4, 6), np.uint8)))
    expected = (1 - alpha) * np.array([red, green, blue]) + alpha * np.array(color)
    assert np.abs(drawn.astype(float) - expected).max() <= 2.5


def test_alpha_zero_is_the_frame_and_alpha_one_the_classes():
    rng = np.random.default_rng(0)
    rgb, class_map = rng.integers(0, 256, (8, 10, 3), np.uint8), rng.integers(0, 11, (8, 10), np.uint8)
    result = _result(rgb, class_map)
    np.testing.assert_array_equal(Overlay((8, 10), CAMVID_11, alpha=0.0, legend=False).draw(result), rgb)
    colors = np.array([info.color for info in CAMVID_11], np.uint8)
    np.testing.assert_array_equal(Overlay((8, 10), CAMVID_11, alpha=1.0, legend=False).draw(result), colors[class_map])


def test_what_is_no_class_is_darkened():
    rgb = np.full((4, 4, 3), 200, np.uint8)
    drawn = Overlay((4, 4), CAMVID_11, legend=False).draw(_result(rgb, np.full((4, 4), 255, np.uint8)))
    assert (drawn == 100).all()


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_alpha_outside_its_range_is_refused(alpha):
    with pytest.raises(OptionError, match="expected 0"):
        Overlay((4, 4), CAMVID_11, alpha=alpha)


def test_only_a_keyframe_has_the_border():
    rgb, class_map = np.zeros((40, 60, 3), np.uint8), np.full((40, 60), 255, np.uint8)
    overlay = Overlay((40, 60), CAMVID_11)
    key = overlay.draw(_result(rgb, class_map, Branch.HR, 0)).copy()
    assert (key[0, :60] == YELLOW).all()
    assert (key[:40, 59] == YELLOW).all()
    assert (key[20, 30] == 0).all()
    other = overlay.draw(_result(rgb, class_map))
    assert not other[:40].any()
    assert (key[40:] == YELLOW).all(-1).any()  # the badge
    assert not (other[40:] == YELLOW).all(-1).any()


def test_bar_grows_with_the_distance():
    rgb, class_map = np.zeros((40, 300, 3), np.uint8), np.zeros((40, 300), np.uint8)
    overlay = Overlay((40, 300), CAMVID_11)
    lengths = []
    for distance in (1, 5, 11):
        strip = overlay.draw(_result(rgb, class_map, distance=distance))[40:]
        lengths.append(int((strip == (110, 170, 235)).all(-1).any(0).sum()))
    assert lengths == [2, 10, 22]


@pytest.mark.parametrize("size", [(31, 45), (30, 45), (31, 44), (30, 44)])
@pytest.mark.parametrize("legend", [True, False])
def test_both_sides_are_even_and_the_last_pixel_is_repeated(size, legend):
    rng = np.random.default_rng(1)
    overlay = Overlay(size, CAMVID_11, alpha=0.0, legend=legend)
    rgb = rng.integers(0, 256, (*size, 3), np.uint8)
    drawn = overlay.draw(_result(rgb, np.zeros(size, np.uint8)))
    assert drawn.shape == (*overlay.shape, 3)
    assert overlay.shape[0] % 2 == overlay.shape[1] % 2 == 0
    np.testing.assert_array_equal(drawn[: size[0], : size[1]], rgb)
    if size[1] % 2:
        np.testing.assert_array_equal(drawn[: size[0], size[1]], rgb[:, -1])
    if size[0] % 2:
        np.testing.assert_array_equal(drawn[size[0], : size[1]], rgb[-1])


@pytest.mark.parametrize("width", [160, 480, 960])
def test_the_legend_shows_every_class(width):
    overlay = Overlay((64, width), CITYSCAPES_19)
    drawn = overlay.draw(_result(np.zeros((64, width, 3), np.uint8), np.full((64, width), 255, np.uint8)))
    scale = 1 if width < 640 else 2
    for info in CITYSCAPES_19:
        assert (drawn[64:] == info.color).all(-1).sum() >= 49 * scale * scale
        name = text_mask(info.name, scale)[:, : -scale or None]
        assert _contains((drawn[64:] == (226, 228, 232)).all(-1), name), info.name


def _contains(picture: np.ndarray, pattern: np.ndarray) -> bool:
    windows = np.lib.stride_tricks.sliding_window_view(picture, pattern.shape)
    return bool((windows == pattern).all((2, 3)).any())


def test_drawing_allocates_no_picture():
    overlay = Overlay((32, 32), CAMVID_11)
    result = _result(np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8))
    assert overlay.draw(result) is overlay.draw(result)


def test_letters_are_drawn():
    rows = ["".join("#" if mark else "." for mark in row) for row in text_mask("r2")]
    assert rows == [
        "####...###..",
        "#...#.#...#.",
        "#...#.....#.",
        "####.....#..",
        "#.#.....#...",
        "#..#...#....",
        "#...#.#####.",
    ]


def test_no_two_letters_look_alike():
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+./:%()? "
    assert len({text_mask(letter).tobytes() for letter in letters}) == len(letters)


def test_text_is_cut_at_the_edge_and_unknown_letters_are_marked():
    picture = np.zeros((5, 8, 3), np.uint8)
    draw_text(picture, 0, 4, "HH", (255, 255, 255))
    assert picture[:, 4].all()
    np.testing.assert_array_equal(text_mask("é"), text_mask("?"))
    assert text_mask("a_b", 2).shape == (14, 36)
