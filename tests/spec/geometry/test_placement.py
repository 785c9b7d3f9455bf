"""Where pictures lie in frames, asked of every size and shape."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_arseg.spec.geometry.enlargement import Enlarger, map_at_source, nearest_map
from edge_arseg.spec.geometry.placement import FitKind, placement_of

SIDES = st.tuples(st.integers(1, 300), st.integers(1, 300))
FITS = st.sampled_from(FitKind)


@pytest.mark.parametrize(
    ("source", "fit", "box"),
    [
        ((540, 960), FitKind.STRETCH, (360, 480, 0, 0)),
        ((540, 960), FitKind.LETTERBOX, (270, 480, 45, 0)),
        ((540, 960), FitKind.CROP, (360, 640, 0, -80)),
        ((960, 540), FitKind.LETTERBOX, (360, 202, 0, 139)),
        ((960, 540), FitKind.CROP, (853, 480, -247, 0)),
        ((720, 960), FitKind.LETTERBOX, (360, 480, 0, 0)),
        ((720, 960), FitKind.CROP, (360, 480, 0, 0)),
    ],
)
def test_pictures_lie_in_a_frame_of_360x480_where_the_docs_say(source, fit, box):
    placement = placement_of(source, (360, 480), fit)
    assert (placement.height, placement.width, placement.top, placement.left) == box


@given(SIDES, SIDES, FITS)
def test_each_pixel_of_the_picture_takes_the_pixel_of_the_frame_that_its_centre_lies_in(source, frame, fit):
    placement = placement_of(source, frame, fit)
    for places, length, scaled, offset, room in (
        (placement.rows(), source[0], placement.height, placement.top, frame[0]),
        (placement.columns(), source[1], placement.width, placement.left, frame[1]),
    ):
        centres = [floor(offset + Fraction(2 * i + 1, 2) * Fraction(scaled, length)) for i in range(length)]
        assert places.tolist() == [place if 0 <= place < room else -1 for place in centres]


@given(SIDES, SIDES, FITS)
def test_what_is_seen_and_what_is_shown_is_what_the_fit_promises(source, frame, fit):
    placement = placement_of(source, frame, fit)
    class_map = np.arange(frame[0] * frame[1]).reshape(frame) % 250
    back = map_at_source(class_map.astype(np.uint8), placement)
    assert back.shape == source
    _, _, rows, columns = placement.shown
    if fit is FitKind.CROP:
        assert (rows, columns) == frame  # no bars
    else:
        assert not np.any(back == 255)  # nothing is cut off
    if fit is not FitKind.STRETCH:
        assert placement.height == frame[0] or placement.width == frame[1]
        # the shape is kept to the rounding of a side
        assert abs(placement.height * source[1] - placement.width * source[0]) <= max(source) * 0.5 + max(source)


@given(SIDES, SIDES, FITS, st.integers(0, 2**32 - 1))
def test_enlarging_invents_no_class(source, frame, fit, seed):
    class_map = np.random.default_rng(seed).integers(0, 12, frame).astype(np.uint8)
    back = map_at_source(class_map, placement_of(source, frame, fit))
    assert set(back.flat) <= set(class_map.flat) | {255}


@pytest.mark.parametrize("fit", FitKind)
def test_the_frame_as_it_is_keeps_its_map_but_for_the_bars(fit):
    placement = placement_of((90, 160), (48, 64), fit).of_frame()
    class_map = np.full((48, 64), 3, np.uint8)
    back = map_at_source(class_map, placement)
    bars = [6, 6] if fit is FitKind.LETTERBOX else [0, 0]
    assert np.flatnonzero((back == 255).all(1)).tolist() == [*range(bars[0]), *range(48 - bars[1], 48)]
    assert placement.same is (fit is not FitKind.LETTERBOX)


def test_a_map_is_made_once_in_one_array_and_not_at_all_where_nobody_asks():
    enlarger, placement = Enlarger(), placement_of((20, 30), (10, 15))
    maps = [np.full((10, 15), value, np.uint8) for value in (1, 2)]
    later = enlarger.later(maps[0], placement)
    first = later()
    assert later() is first
    assert (first == 1).all()
    second = enlarger.later(maps[1], placement)()
    assert second is first
    assert (first == 2).all()
    assert enlarger.later(maps[0], placement_of((10, 15), (10, 15)))() is maps[0]
    assert enlarger.later(maps[0], None)() is maps[0]


def test_steps_of_a_slanted_border_are_halved_and_straight_ones_stay():
    stairs = np.array([[1, 2, 2], [1, 1, 2], [1, 1, 1]], np.uint8)
    assert map_at_source(stairs, placement_of((6, 6), (3, 3))).tolist() == [
        [1, 1, 2, 2, 2, 2],
        [1, 1, 1, 2, 2, 2],
        [1, 1, 1, 2, 2, 2],
        [1, 1, 1, 1, 1, 2],
        [1, 1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1, 1],
    ]
    straight = np.array([[1, 1, 2], [1, 1, 2], [1, 1, 2]], np.uint8)
    np.testing.assert_array_equal(
        map_at_source(straight, placement_of((6, 6), (3, 3))), straight.repeat(2, 0).repeat(2, 1)
    )


@given(SIDES, SIDES, FITS, st.integers(0, 2**32 - 1))
def test_it_is_the_nearest_of_a_map_that_was_doubled_by_the_rule(source, frame, fit, seed):
    class_map = np.random.default_rng(seed).integers(0, 4, frame).astype(np.uint8)
    placement = placement_of(source, frame, fit)
    if source[0] <= placement.height or source[1] <= placement.width:
        return
    top, left, height, width = placement.shown
    shown = class_map[top : top + height, left : left + width]
    padded = np.pad(shown, 1, mode="edge")
    up, down, left, right = padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]
    corner, doubled = (up != down) & (left != right), shown.repeat(2, 0).repeat(2, 1)
    for lower, other in enumerate((up, down)):
        for to_right, side in enumerate((left, right)):
            doubled[lower::2, to_right::2] = np.where(corner & (other == side), side, shown)
    expected = nearest_map(doubled, placement.on_shown().doubled())
    np.testing.assert_array_equal(map_at_source(class_map, placement), expected)


@given(SIDES, SIDES, FITS, st.integers(0, 2**32 - 1))
def test_a_rounded_corner_takes_the_class_of_a_neighbour(source, frame, fit, seed):
    class_map = np.random.default_rng(seed).integers(0, 4, frame).astype(np.uint8)
    placement = placement_of(source, frame, fit)
    rounded, nearest = map_at_source(class_map, placement), nearest_map(class_map, placement)
    np.testing.assert_array_equal(rounded == 255, nearest == 255)
    if source[0] <= placement.height or source[1] <= placement.width:
        np.testing.assert_array_equal(rounded, nearest)
    padded = np.pad(class_map, 1, mode="edge")
    around = [
        nearest_map(np.ascontiguousarray(padded[i : i + frame[0], j : j + frame[1]]), placement)
        for i, j in ((0, 1), (2, 1), (1, 0), (1, 2))
    ]
    assert np.all((rounded == nearest) | np.any([rounded == neighbour for neighbour in around], axis=0))


def test_what_lies_behind_bars_reaches_no_picture():
    placement = placement_of((180, 320), (48, 64), FitKind.LETTERBOX)
    class_map = np.full((48, 64), 7, np.uint8)
    top, left, height, width = placement.shown
    class_map[top : top + height, left : left + width] = np.indices((height, width)).sum(0) % 3
    assert set(map_at_source(class_map, placement).flat) == {0, 1, 2}


def test_a_map_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"\(10, 16\).*expected \(10, 15\)"):
        map_at_source(np.zeros((10, 16), np.uint8), placement_of((20, 30), (10, 15)))
