"""mIoU against what it costs, with the Pareto front."""

from collections.abc import Iterator, Sequence

from edge_arseg.bench.report.content import Pareto, Point, Report
from edge_arseg.bench.report.plots.plot import Plot, run_colour, spec_of

FEW = 4
"""Runs up to which points carry names; where there are more, their numbers in the table."""
NEAR = (0.08, 0.09)
"""Shares of the plot's width and height within which points share one label."""


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


def _spec(pareto: Pareto, *, numbered: bool) -> dict[str, object]:
    middle = (min(point.x for point in pareto.points) + max(point.x for point in pareto.points)) / 2
    names = [f"{point.number}  {point.name}" if numbered else point.name for point in pareto.points]
    rows = [
        {"run": name, "x": point.x, "y": point.y, "front": point.front}
        for name, point in zip(names, pareto.points, strict=True)
    ]
    labels = [
        {"text": text, "x": x, "y": y, "left": x <= middle, "up": rank % 2}
        for rank, (text, x, y) in enumerate(_labels(pareto.points, numbered=numbered))
    ]
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
    for left in (True, False):
        for up in (0, 1):
            if not any(row["left"] == left and row["up"] == up for row in labels):
                continue  # a layer without rows makes Vega warn
            layers.append(
                {
                    "data": {"values": labels},
                    "transform": [{"filter": f"datum.left == {str(left).lower()} && datum.up == {up}"}],
                    "mark": {
                        "type": "text",
                        "align": "left" if left else "right",
                        "dx": -6 if left else 6,
                        "dy": -15 if up else 17,
                        "limit": 220,
                    },
                    "encoding": {"x": x, "y": y, "text": label},
                }
            )
    return spec_of(height=250, legend=len(names) + 1 if numbered else 0, data=rows, layer=layers)


def _labels(points: Sequence[Point], *, numbered: bool) -> Iterator[tuple[str, float, float]]:
    """Yield text and place: a line for each name of a group, or all its numbers in one."""
    if not numbered:
        yield from ((point.name, point.x, point.y) for point in sorted(points, key=lambda one: (one.x, one.y)))
        return
    for group in groups_of(points):
        numbers = ", ".join(str(number) for number in sorted(point.number for point in group))
        yield numbers, group[0].x, group[0].y
