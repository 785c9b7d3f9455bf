"""Labels of the points in the plots of mIoU against a cost."""

from dataclasses import replace
from itertools import combinations

from edge_arseg.bench.report.content import Point
from edge_arseg.bench.report.plots.trade import HEIGHT, LETTER, LINE, MARGIN, WIDTH, groups_of, labels_of


def points(*places):
    return [Point(f"HR-only run {n}", n, x, y, False) for n, (x, y) in enumerate(places, 1)]


def test_points_whose_labels_would_cover_each_other_share_one():
    places = [(10.0, 70.0), (10.2, 70.1), (50.0, 70.0), (10.0, 60.0)]
    groups = groups_of(points(*places))
    assert sorted([point.number for point in group] for group in groups) == [[1, 2], [3], [4]]


def rows(labels, across, down):
    """Left, right, top and bottom of each label on a phone, where the smallest values are left and at the bottom."""
    for label in labels:
        x = MARGIN + label.x / across * (WIDTH - 2 * MARGIN)
        y = MARGIN + (1 - label.y / down) * (HEIGHT - 2 * MARGIN) + label.dy
        wide = LETTER * len(label.text)
        left = x - 6 if label.left else x + 6 - wide
        yield left, left + wide, y - LINE / 2, y + LINE / 2


def test_labels_of_points_in_a_row_do_not_cover_each_other_and_stay_inside():
    """Every second label lay above its point, whatever was there: of twelve runs most numbers could not be read."""
    across = [10, 12, 14.5, 17, 20, 22, 24.5, 27, 30]
    places = [(x, y) for y in (67, 70) for x in (0, *across)]
    for numbered in (True, False):
        given = points(*places) if numbered else points((0, 67), (10, 67), (22, 67), (30, 70))
        labels = labels_of([Point(p.name, p.number, p.x, p.y - 67, p.front) for p in given], numbered=numbered)
        boxes = list(rows(labels, 30, 3))
        assert len(boxes) > 3
        for one, two in combinations(boxes, 2):
            assert one[1] <= two[0] or two[1] <= one[0] or one[3] <= two[2] or two[3] <= one[2]
        assert all(top >= 0 and bottom <= HEIGHT for _, _, top, bottom in boxes)


def placed(points):
    return [(label.text, label.dy, label.left) for label in labels_of(points, numbered=False)]


def test_a_label_lies_right_beside_its_point_and_off_the_front():
    apart = points((1, 60), (9, 70))
    assert placed(apart) == [("HR-only run 1", 17, True), ("HR-only run 2", -15, False)]
    behind = [*(replace(point, front=True) for point in apart), Point("HR-only run 3", 3, 9, 64, False)]
    assert placed(behind)[1:] == [("HR-only run 3", 17, False), ("HR-only run 2", -15, False)]
    assert len(placed(points((1, 60)))) == 1
