"""Text: letters of any language, smooth at any size."""

import numpy as np
import pytest

from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.spec.model import ClassInfo
from edge_arseg.video.overlay.drawing import Overlay, _shown_name
from edge_arseg.video.overlay.text.coverage import coverage
from edge_arseg.video.overlay.text.font import drawable, font_of_size, missing


def test_half_a_pixel_is_covered_half():
    square = np.array([[0.5, 1, 3.5, 1], [3.5, 1, 3.5, 3], [3.5, 3, 0.5, 3], [0.5, 3, 0.5, 1]])
    expected = [[0, 0, 0, 0, 0], [128, 255, 255, 128, 0], [128, 255, 255, 128, 0], [0, 0, 0, 0, 0]]
    np.testing.assert_allclose(coverage(square, 4, 5), expected, atol=1)


def test_a_hole_is_not_covered_and_what_lies_outside_is_cut_off():
    def ring(low, high):
        return [[low, low, high, low], [high, low, high, high], [high, high, low, high], [low, high, low, low]]

    hole = [[x1, y1, x0, y0] for x0, y0, x1, y1 in ring(2, 4)]
    mask = coverage(np.array(ring(-2, 6) + hole, float), 5, 5)
    assert mask[1, 1] == 255
    assert not mask[2:4, 2:4].any()


@pytest.mark.parametrize("size", [9, 12, 26, 60])
def test_letters_are_smooth_and_as_high_as_said(size):
    font = font_of_size(size)
    mask = font.mask("H")
    rows = np.flatnonzero(mask.max(1) > 100)
    assert rows[-1] + 1 == pytest.approx(font.baseline, abs=1)
    assert len(rows) == pytest.approx(font.cap, abs=1.5)
    smooth = font.mask("Ose")
    assert ((smooth > 30) & (smooth < 225)).any()
    assert smooth.max() > 180


def test_no_two_letters_look_alike():
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-+./:%()?<äöüßéñçøЖдωΔ "
    font = font_of_size(24)
    assert len({font.mask(letter).tobytes() for letter in letters}) == len(letters)


def test_figures_have_one_width_so_that_changing_numbers_stand_still():
    font = font_of_size(13)
    assert len({font.width(f"{digit}{digit}.{digit} ms") for digit in range(10)}) == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("column_pole", "column pole"),
        ("straße", "straße"),
        ("дорога", "дорога"),
        ("e\N{COMBINING ACUTE ACCENT}tage", "étage"),
        ("ǆip", "dip"),  # a letter that falls apart into ones the font has
        ("道路", "class 7"),
        ("car 車", "car \N{WHITE SQUARE}"),
        ("", "class 7"),
        ("🚗", "class 7"),
        ("a\x00\u200bb", "ab"),
    ],
)
def test_a_name_is_shown_in_letters_that_the_font_has(name, shown):
    assert _shown_name(name, 7) == shown
    assert missing(drawable(shown)) == missing(shown)


def test_names_of_any_language_can_be_drawn():
    classes = tuple(ClassInfo(name, (200, 0, 0)) for name in ("道路", "سماء", "a" * 500, "\ud800", "้", "ก้", "\n"))
    class_map = np.repeat(np.arange(7, dtype=np.uint8), 30)[:, None].repeat(300, 1)
    result = SegmentedFrame(Frame(0, 0.0, np.zeros((210, 300, 3), np.uint8)), class_map, Branch.LR, 1, 1.0)
    assert Overlay((210, 300), classes).draw(result).any()
