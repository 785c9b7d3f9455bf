"""The overlay: what is drawn where, on pictures of any size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_arseg.errors import OptionError
from edge_arseg.spec.frame import Branch, Frame, MotionField, MotionSource, SegmentedFrame
from edge_arseg.spec.geometry.placement import placement_of
from edge_arseg.spec.model import CAMVID_11, CITYSCAPES_19, ClassInfo
from edge_arseg.video.overlay.arrows import Arrows
from edge_arseg.video.overlay.drawing import Overlay
from edge_arseg.video.overlay.scale import scale_of
from edge_arseg.video.overlay.style import PLAIN, OverlayStyle

PLAIN_DATASET = {"legend": False, "labels": False, "contours": False, "palette": "dataset"}


def result_of(rgb, class_map, branch=Branch.LR, distance=3, motion=None):
    return SegmentedFrame(Frame(0, 0.0, rgb), class_map, branch, distance, 12.3, motion)


def overlay_of(size, classes=CAMVID_11, **style):
    return Overlay(size, classes, OverlayStyle(**style), pace=lambda: 25.0)


@settings(max_examples=80)
@given(
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 255),
    st.tuples(*[st.integers(0, 255)] * 3),
    st.floats(0, 1),
)
def test_a_pixel_is_the_weighted_mean_of_picture_and_class(red, green, blue, color, alpha):
    overlay = overlay_of((4, 6), (ClassInfo("thing", color),), alpha=alpha, **PLAIN_DATASET)
    rgb = np.broadcast_to(np.array([red, green, blue], np.uint8), (4, 6, 3))
    drawn = overlay.draw(result_of(rgb, np.zeros((4, 6), np.uint8)))
    expected = (1 - alpha) * np.array([red, green, blue]) + alpha * np.array(color)
    assert np.abs(drawn.astype(float) - expected).max() <= 2.5


@pytest.mark.parametrize("size", [(8, 10), (150, 37)])
def test_alpha_zero_is_the_picture_and_alpha_one_the_classes(size):
    rng = np.random.default_rng(0)
    rgb, class_map = rng.integers(0, 256, (*size, 3), np.uint8), rng.integers(0, 11, size, np.uint8)
    result, (height, width) = result_of(rgb, class_map), size
    clear = overlay_of(size, alpha=0.0, **PLAIN_DATASET).draw(result)
    np.testing.assert_array_equal(clear[:height, :width], rgb)
    colors = np.array([info.color for info in CAMVID_11], np.uint8)
    full = overlay_of(size, alpha=1.0, **PLAIN_DATASET).draw(result)
    np.testing.assert_array_equal(full[:height, :width], colors[class_map])


def test_what_is_no_class_is_darkened():
    rgb = np.full((4, 4, 3), 200, np.uint8)
    drawn = Overlay((4, 4), CAMVID_11, PLAIN).draw(result_of(rgb, np.full((4, 4), 255, np.uint8)))
    assert (drawn == 100).all()


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_alpha_outside_its_range_is_refused(alpha):
    with pytest.raises(OptionError, match="expected 0"):
        OverlayStyle(alpha=alpha)


def test_an_unknown_palette_is_refused_with_the_names_of_the_known():
    with pytest.raises(OptionError, match="expected contrast or dataset"):
        OverlayStyle(palette="rainbow")


def test_the_picture_of_the_source_is_drawn_on_not_the_frame_of_the_network():
    picture = np.full((60, 90, 3), 80, np.uint8)
    frame = Frame(0, 0.0, np.zeros((20, 30, 3), np.uint8), picture=picture, placement=placement_of((60, 90), (20, 30)))
    class_map = np.zeros((20, 30), np.uint8)
    class_map[:, 15:] = 1
    style = OverlayStyle(**PLAIN_DATASET)
    drawn = Overlay((60, 90), CAMVID_11, style).draw(SegmentedFrame(frame, class_map, Branch.HR, 0, 1.0))
    assert drawn[30, 44].tolist() == [104, 104, 104]  # half of the picture's 80, half of the sky's 128
    assert drawn[30, 45].tolist() == [104, 40, 40]


@pytest.mark.parametrize("size", [(31, 45), (30, 45), (31, 44), (30, 44)])
@pytest.mark.parametrize("strip", [True, False])
def test_both_sides_are_even_and_the_last_pixel_is_repeated(size, strip):
    rng = np.random.default_rng(1)
    overlay = overlay_of(size, alpha=0.0, legend=False, labels=False, contours=False, strip=strip)
    rgb = rng.integers(0, 256, (*size, 3), np.uint8)
    drawn = overlay.draw(result_of(rgb, np.zeros(size, np.uint8)))
    assert drawn.shape == (*overlay.shape, 3)
    assert overlay.shape[0] % 2 == overlay.shape[1] % 2 == 0
    np.testing.assert_array_equal(drawn[: size[0], : size[1]], rgb)
    if size[1] % 2:
        np.testing.assert_array_equal(drawn[: size[0], size[1]], rgb[:, -1])
    if size[0] % 2:
        np.testing.assert_array_equal(drawn[size[0], : size[1]], rgb[-1])


def test_without_a_strip_the_overlay_has_the_size_of_the_picture():
    for size in ((360, 640), (540, 960), (640, 360)):
        assert overlay_of(size).shape == size
        assert overlay_of(size, strip=True).shape[0] > size[0]


def test_compare_puts_the_untouched_picture_to_the_left():
    rng = np.random.default_rng(2)
    rgb, class_map = rng.integers(0, 256, (120, 201, 3), np.uint8), rng.integers(0, 11, (120, 201), np.uint8)
    result = result_of(rgb, class_map)
    both = overlay_of((120, 201), compare=True).draw(result)
    assert both.shape == (120, 402, 3)
    np.testing.assert_array_equal(both[40:, :199], rgb[40:, :199])  # above lies the word "source"
    np.testing.assert_array_equal(both[:, 204:402], overlay_of((120, 201)).draw(result)[:, 3:201])


def test_a_line_runs_along_a_border_and_nowhere_else():
    class_map = np.zeros((400, 400), np.uint8)
    class_map[:, 200:] = 3
    rgb = np.zeros((400, 400, 3), np.uint8)
    with_lines = overlay_of((400, 400), legend=False, labels=False).draw(result_of(rgb, class_map)).copy()
    without = Overlay((400, 400), CAMVID_11, PLAIN).draw(result_of(rgb, class_map))
    changed = (with_lines != without).any(-1)
    assert np.flatnonzero(changed.any(0)).tolist() == [199] or np.flatnonzero(changed.any(0)).tolist() == [200]
    assert changed[4:-4].any(1).all()  # the edge of the picture has no lines
    assert not changed[:4].any()
    assert with_lines[changed].min() > 160  # light, over a black picture


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (17, 640), (640, 17), (90, 120)])
@pytest.mark.parametrize("classes", [(), CAMVID_11, CITYSCAPES_19], ids=["none", "camvid", "cityscapes"])
def test_everything_can_be_drawn_on_the_smallest_pictures(size, classes):
    rng = np.random.default_rng(3)
    rgb, class_map = rng.integers(0, 256, (*size, 3), np.uint8), rng.integers(0, 20, size, np.uint8)
    motion = MotionField(np.ones((40, 40, 2), np.float32), 16, MotionSource.CODEC, 0.0)
    for strip in (True, False):
        overlay = overlay_of(size, classes, strip=strip, compare=True, motion=True)
        drawn = overlay.draw(result_of(rgb, class_map, motion=motion))
        assert drawn.shape == (*overlay.shape, 3)


def test_an_arrow_points_where_the_content_went():
    """One place in the middle of the picture; the content was 10 pixels to its left: it went right."""
    picture, flow = np.zeros((28, 28, 3), np.uint8), np.full((2, 2, 2), [-10.0, 0.0], np.float32)
    arrows = Arrows((28, 28), scale_of(360, 480))
    arrows.draw(picture, MotionField(flow, 16, MotionSource.CODEC, 0.0), placement_of((28, 28), (28, 28)))
    white = picture[..., 0] > 100
    rows, columns = np.nonzero(white)
    assert abs(rows.mean() - 14) < 1
    assert 3 <= columns.min() <= 5
    assert 12 <= columns.max() <= 14
    assert white[:, 10].sum() > white[:, 6].sum()  # the head is to the right


def test_arrows_are_drawn_between_keyframes_only():
    size = 360, 480
    rgb, class_map = np.zeros((*size, 3), np.uint8), np.full(size, 255, np.uint8)
    motion = MotionField(np.zeros((23, 30, 2), np.float32), 16, MotionSource.CODEC, 0.0)
    overlay = overlay_of(size, legend=False, labels=False, motion=True)
    assert not overlay.draw(result_of(rgb, class_map, Branch.HR, 0)).any()
    assert overlay.draw(result_of(rgb, class_map, motion=motion)).any()


def test_arrows_are_drawn_on_a_picture_that_was_of_another_size():
    """A source that changes its size on the way is brought to its first size; its placement says the new one."""
    picture, motion = (
        np.zeros((120, 160, 3), np.uint8),
        MotionField(np.zeros((2, 3, 2), "f4"), 16, MotionSource.CODEC, 0.0),
    )
    frame = Frame(0, 0.0, np.zeros((32, 48, 3), np.uint8), picture=picture, placement=placement_of((60, 90), (32, 48)))
    class_map = np.full((120, 160), 255, np.uint8)
    result = SegmentedFrame(frame, class_map, Branch.LR, 1, 1.0, motion, source_map=lambda: class_map)
    assert overlay_of((120, 160), legend=False, motion=True).draw(result).any()


def test_a_picture_is_drawn_where_it_is_wanted():
    overlay = overlay_of((32, 32))
    result = result_of(np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8))
    assert overlay.draw(result) is overlay.draw(result)
    room = overlay.new_picture()
    assert overlay.draw(result, room) is room
