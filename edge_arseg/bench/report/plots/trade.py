"""mIoU against what it costs, with the Pareto front."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from edge_arseg.bench.report.content import Pareto, Point, Report
from edge_arseg.bench.report.plots.plot import Plot, run_colour, spec_of

FEW = 4
"""Runs up to which points carry names; where there are more, their numbers in the table."""
NEAR = (0.08, 0.09)
"""Shares of the plot's width and height within which points share one label."""
WIDTH, HEIGHT, MARGIN = 185, 250, 24
"""Pixels of what is drawn, at least, as on a phone; and from its edge to the outermost points."""
LETTER, LINE, DOT = 6.6, 13, 6
"""Pixels of a letter and of a line of a label, and from the centre of a point to its edge."""
ABOVE, BELOW = (-15, -28, -41), (17, 30, 43)
"""Pixels from a point to the middle of its label, below 0: above it."""
FAR = 3.0
"""What a place costs that is one further from the point, in points that it would cover."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a point: flush ``left`` with it or right, and ``dy`` pixels below it."""

    text: str
    x: float
    y: float
    left: bool
    dy: int


def plots_from_report(report: Report) -> Iterator[Plot]:
    """Yield a plot for each cost that was measured beside mIoU."""
    numbered = len(report.rows) > FEW
    for pareto in report.paretos:
        note = (
            "Up and to the left is better. The line is the front, with circles on it: no other run is at least as good "
            "in both. Diamonds are behind it."
        )
        yield Plot(
            f"trade-{pareto.measure.replace('_', '-')}",
            f"mIoU against {pareto.title}",
            f"{note} Numbers are those of the table." if numbered else note,
            _spec(pareto, numbered=numbered),
        )


def groups_of(points: Sequence[Point]) -> list[list[Point]]:
    """Return the points in groups that lie so near to each other that their labels would cover each other."""
    spans = [max(values) - min(values) or 1.0 for values in ([p.x for p in points], [p.y for p in points])]
    groups: list[list[Point]] = []
    for point in sorted(points, key=lambda one: (one.x, one.y)):
        for group in groups:
            first = group[0]
            if abs(point.x - first.x) < NEAR[0] * spans[0] and abs(point.y - first.y) < NEAR[1] * spans[1]:
                group.append(point)
                break
        else:
            groups.append([point])
    return groups


def labels_of(points: Sequence[Point], *, numbered: bool) -> list[Label]:
    """Return the labels of points, each where it covers no other, no point and not the front, as far as there is room.

    Args:
        points: of a plot.
        numbered: a label has the numbers of all points that lie near to each other; else each has its name.
    """
    if numbered:
        texts = [(", ".join(str(n) for n in sorted(p.number for p in own)), own[0]) for own in groups_of(points)]
    else:
        texts = [(point.name, point) for point in sorted(points, key=lambda one: (one.x, one.y))]
    left, right = min(point.x for point in points), max(point.x for point in points)
    low, high = min(point.y for point in points), max(point.y for point in points)

    def pixel(point: Point) -> tuple[float, float]:
        across = (point.x - left) / (right - left or 1.0)
        down = (high - point.y) / (high - low or 1.0)
        return MARGIN + across * (WIDTH - 2 * MARGIN), MARGIN + down * (HEIGHT - 2 * MARGIN)

    dots = [(x - DOT, y - DOT, x + DOT, y + DOT) for x, y in map(pixel, points)]
    front = sorted(pixel(point) for point in points if point.front)
    line = [box for ends in pairwise(front) for box in _along(*ends)]
    labels, taken = [], list[Box]()
    for text, point in texts:
        flush = point.x <= (left + right) / 2
        sides = (BELOW, ABOVE) if flush else (ABOVE, BELOW)  # the front rises to the right
        places = [(FAR * step, dy) for step, both in enumerate(zip(*sides, strict=True)) for dy in both]
        boxes = [_box(text, *pixel(point), flush, dy) for _, dy in places]
        costs = [far + _cost(box, taken, dots, line) for (far, _), box in zip(places, boxes, strict=True)]
        best = costs.index(min(costs))
        taken.append(boxes[best])
        labels.append(Label(text, point.x, point.y, flush, places[best][1]))
    return labels


def _box(text: str, x: float, y: float, flush: bool, dy: int) -> Box:
    """Return what a label takes: left, top, right, bottom, in pixels."""
    wide = LETTER * len(text)
    start = x - DOT if flush else x + DOT - wide
    return start, y + dy - LINE / 2, start + wide, y + dy + LINE / 2


def _along(start: tuple[float, float], end: tuple[float, float]) -> Iterator[Box]:
    """Yield what a line takes, as small boxes."""
    for share in np.linspace(0, 1, 60):
        x, y = (one + share * (other - one) for one, other in zip(start, end, strict=True))
        yield x - 1, y - 1, x + 1, y + 1


def _cost(box: Box, labels: Sequence[Box], dots: Sequence[Box], line: Sequence[Box]) -> float:
    """Return how bad a place is, in points that it covers; labels and the edge are worse, a bit of the line is less."""
    outside = box[1] < 0 or box[3] > HEIGHT
    covered = outside + sum(_meet(box, one) for one in labels)
    return 100 * covered + sum(_meet(box, one) for one in dots) + 0.1 * sum(_meet(box, one) for one in line)


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _spec(pareto: Pareto, *, numbered: bool) -> dict[str, object]:
    names = [f"{point.number}  {point.name}" if numbered else point.name for point in pareto.points]
    rows = [
        {"run": name, "x": point.x, "y": point.y, "front": point.front}
        for name, point in zip(names, pareto.points, strict=True)
    ]
    labels = labels_of(pareto.points, numbered=numbered)
    x = {
        "field": "x",
        "type": "quantitative",
        "title": pareto.title,
        "scale": {"zero": False, "padding": 24, "nice": True},
        "axis": {"tickCount": 5},
    }
    y = {"field": "y", "type": "quantitative", "title": "mIoU, %", "scale": {"zero": False, "padding": 24}}
    tooltip = [
        {"field": "run", "title": "run"},
        {"field": "x", "title": pareto.title, "format": ".4g"},
        {"field": "y", "title": "mIoU, %", "format": ".2f"},
    ]
    label = {"field": "text", "type": "nominal"}
    layers: list[dict[str, object]] = [
        {
            "transform": [{"filter": "datum.front"}],
            "mark": {"type": "line", "color": "var(--soft)", "strokeDash": [4, 3], "strokeWidth": 1.5},
            "encoding": {"x": x, "y": y, "order": {"field": "x"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 130, "opacity": 1},
            "encoding": {
                "x": x,
                "y": y,
                "color": run_colour(names, legend=numbered),
                "shape": {
                    "field": "front",
                    "type": "nominal",
                    "scale": {"domain": [True, False], "range": ["circle", "diamond"]},
                    "legend": None,
                },
                "tooltip": tooltip,
            },
        },
    ]
    for left, dy in sorted({(one.left, one.dy) for one in labels}):
        own = [{"text": one.text, "x": one.x, "y": one.y} for one in labels if (one.left, one.dy) == (left, dy)]
        align, dx = ("left", -DOT) if left else ("right", DOT)
        layers.append(
            {
                "data": {"values": own},
                "mark": {"type": "text", "align": align, "dx": dx, "dy": dy, "limit": 220},
                "encoding": {"x": x, "y": y, "text": label},
            }
        )
    return spec_of(height=250, legend=len(names) + 1 if numbered else 0, data=rows, layer=layers)
