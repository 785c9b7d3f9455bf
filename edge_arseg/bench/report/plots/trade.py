"""mIoU against what it costs, with the Pareto front."""

from collections.abc import Iterator

from edge_arseg.bench.report.content import Pareto, Report
from edge_arseg.bench.report.plots.plot import Plot, run_colour, spec_of


def plots_from_report(report: Report) -> Iterator[Plot]:
    """Yield a plot for each cost that was measured beside mIoU."""
    for pareto in report.paretos:
        yield Plot(
            f"trade-{pareto.measure.replace('_', '-')}",
            f"mIoU against {pareto.title}",
            "Up and to the left is better. The line is the front: no other run is at least as good in both.",
            _spec(pareto),
        )


def _spec(pareto: Pareto) -> dict[str, object]:
    ordered = sorted(pareto.points, key=lambda point: (point.x, point.y))
    middle = (ordered[0].x + ordered[-1].x) / 2
    rows = [
        {"run": point.name, "x": point.x, "y": point.y, "front": point.front, "left": point.x <= middle, "up": rank % 2}
        for rank, point in enumerate(ordered)
    ]
    x = {
        "field": "x",
        "type": "quantitative",
        "title": pareto.title,
        "scale": {"zero": False, "padding": 24, "nice": True},
        "axis": {"tickCount": 5},
    }
    y = {"field": "y", "type": "quantitative", "title": "mIoU, %", "scale": {"zero": False, "padding": 24}}
    names = [point.name for point in pareto.points]
    tooltip = [
        {"field": "run", "title": "run"},
        {"field": "x", "title": pareto.title, "format": ".4g"},
        {"field": "y", "title": "mIoU, %", "format": ".2f"},
    ]
    label = {"field": "run", "type": "nominal"}
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
                "color": run_colour(names, legend=False),
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
            if not any(row["left"] == left and row["up"] == up for row in rows):
                continue  # a layer without rows makes Vega warn
            layers.append(
                {
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
    return spec_of(height=250, data=rows, layer=layers)
