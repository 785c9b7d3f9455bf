"""What an overlay says: classes that are seen, branch, speed, and names on regions."""

import numpy as np

from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.overlay.drawing import Overlay
from edge_arseg.video.overlay.facts.legend import Legend
from edge_arseg.video.overlay.facts.pace import Pace
from edge_arseg.video.overlay.facts.shares import Shares
from edge_arseg.video.overlay.facts.status import HR, LR
from edge_arseg.video.overlay.labels import Labels
from edge_arseg.video.overlay.palette.choice import colors_of_classes
from edge_arseg.video.overlay.scale import scale_of
from edge_arseg.video.overlay.style import OverlayStyle

SIZE = 360, 640
NAMES = [info.name for info in CAMVID_11]
COLORS = colors_of_classes(CAMVID_11, "contrast")


def holds(picture, color):
    return bool((np.abs(picture.astype(int) - color).max(-1) <= 2).any())


def drawn(class_map, branch=Branch.LR, distance=3, **style):
    rgb = np.zeros((*class_map.shape, 3), np.uint8)
    overlay = Overlay(class_map.shape, CAMVID_11, OverlayStyle(alpha=0.0, labels=False, contours=False, **style))
    return overlay.draw(SegmentedFrame(Frame(0, 0.0, rgb), class_map, branch, distance, 12.3))


def test_the_legend_lists_the_classes_that_are_seen_and_no_others():
    class_map = np.full(SIZE, 3, np.uint8)
    class_map[:100] = 0
    for strip in (False, True):
        picture = drawn(class_map, strip=strip)
        assert [holds(picture, color) for color in COLORS] == [index in (0, 3) for index in range(11)]


def test_the_badge_has_the_color_of_the_branch():
    class_map = np.full(SIZE, 255, np.uint8)
    key, between = drawn(class_map, Branch.HR, 0), drawn(class_map)
    assert (holds(key, HR), holds(key, LR)) == (True, False)
    assert (holds(between, HR), holds(between, LR)) == (False, True)


def test_without_legend_and_strip_nothing_is_written():
    assert not drawn(np.full(SIZE, 255, np.uint8), legend=False).any()
    below = drawn(np.full(SIZE, 255, np.uint8), legend=False, strip=True)
    assert not below[: SIZE[0]].any()
    assert holds(below[SIZE[0] :], LR)


def test_the_bar_of_the_legend_is_divided_by_the_shares():
    plate = Legend(NAMES, COLORS, scale_of(*SIZE), SIZE).plate([(0, 0.25), (3, 0.75)])
    canvas = np.zeros((plate.height, plate.width, 3), np.uint8)
    plate.lay(canvas, 0, 0)
    row = next(line for line in canvas if (line == COLORS[3]).all(-1).sum() > plate.width // 3)
    lengths = [int((row == COLORS[index]).all(-1).sum()) for index in (0, 3)]
    assert abs(lengths[1] - 3 * lengths[0]) <= 4


def test_a_dark_color_is_seen_on_the_dark_plate():
    """The published colour of cars is nearly black."""
    colors = np.array([(64, 0, 128), (200, 200, 60)], np.uint8)
    scale = scale_of(720, 1280)
    plate = Legend(["car", "sign"], colors, scale, (720, 1280)).plate([(0, 0.5), (1, 0.5)])
    picture = np.zeros((plate.height, plate.width, 3), np.uint8)
    plate.lay(picture, 0, 0)
    swatch = picture[:, scale.margin : scale.margin + round(0.8 * scale.text)].astype(int)
    dark = (abs(swatch - [64, 0, 128]).max(2) < 4).any()
    bright = (swatch.min(2) > 120).sum()
    assert dark
    assert bright >= 2 * round(0.8 * scale.text)


def test_shares_are_smooth_and_a_class_does_not_flicker():
    shares, half = Shares(11), np.zeros((100, 100), np.uint8)
    half[:50] = 2
    assert shares.follow(half) == [(0, 0.5), (2, 0.5)]
    once = dict(shares.follow(np.zeros((100, 100), np.uint8)))
    assert 0.35 < once[2] < 0.45
    gone = 1
    while 2 in dict(shares.follow(np.zeros((100, 100), np.uint8))):
        gone += 1
    assert 10 < gone < 40


def test_the_pace_is_that_of_the_last_second():
    times = iter([*np.arange(0, 2, 0.1), *np.arange(2, 6, 0.5)])
    pace = Pace(lambda: float(next(times)))
    assert pace.frame() is None
    seen = [pace.frame() for _ in range(27)]
    assert abs(seen[15] - 10) < 0.5
    assert abs(seen[-1] - 2) < 0.5


def test_a_label_lies_on_its_class_and_small_regions_have_none():
    class_map = np.full(SIZE, 3, np.uint8)
    class_map[:180, 320:] = 5
    class_map[300:310, 100:110] = 8  # a car that its name would hide
    picture = np.zeros((*SIZE, 3), np.uint8)
    Labels(NAMES, COLORS, scale_of(*SIZE), SIZE).draw(picture, class_map, [])
    on_tree, on_road = picture[:180, 320:].any(-1), picture[180:].any(-1) | picture[180:, :].any(-1)
    assert on_tree.any()
    assert on_road.any() or picture[:, :320].any()
    rows, columns = np.nonzero(picture.any(-1) & (class_map == 5))
    assert 40 < rows.mean() < 140
    assert 400 < columns.mean() < 560
    assert not holds(picture, [int(0.8 * part + 51) for part in COLORS[8]])


def test_a_label_stays_while_its_region_moves_a_little_and_jumps_when_it_goes_far():
    labels = Labels(NAMES, COLORS, scale_of(*SIZE), SIZE)

    def middle(left):
        class_map = np.full(SIZE, 255, np.uint8)
        class_map[100:260, left : left + 200] = 8
        for _ in range(3):  # places are looked for in every third frame
            picture = np.zeros((*SIZE, 3), np.uint8)
            labels.draw(picture, class_map, [])
        assert not picture[class_map == 255].any()
        return float(np.nonzero(picture.any(-1))[1].mean())

    first = middle(40)
    assert middle(48) == first
    assert abs(middle(430) - 530) < 40


def test_labels_keep_off_what_is_written_already():
    class_map = np.full(SIZE, 3, np.uint8)
    picture = np.zeros((*SIZE, 3), np.uint8)
    Labels(NAMES, COLORS, scale_of(*SIZE), SIZE).draw(picture, class_map, [(100, 0, 360, 640)])
    assert picture[:100].any()
    assert not picture[100:].any()
