"""IoU of each class."""

from collections.abc import Iterator

from edge_arseg.bench.report.content import Report
from edge_arseg.bench.report.plots.plot import Plot, named, run_colour, spec_of


def plots_from_report(report: Report) -> Iterator[Plot]:
    """Yield one plot with a dot for each class of each run that was scored."""
    many = len(report.verdicts) > 1
    rows = [
        {"run": named(one.record, one.run, many=many), "class": name, "iou": value}
        for one in report.classes
        for name, value in one.values.items()
        if value is not None
    ]
    if not rows:
        return
    names = list(dict.fromkeys(str(row["run"]) for row in rows))
    classes = list(dict.fromkeys(str(row["class"]) for row in rows))
    spec = spec_of(
        height=26 * len(classes),
        legend=len(names) + 1,
        data=rows,
        mark={"type": "point", "filled": True, "size": 80, "opacity": 0.9},
        encoding={
            "y": {"field": "class", "type": "nominal", "sort": classes, "title": None, "axis": {"grid": True}},
            "x": {"field": "iou", "type": "quantitative", "title": "IoU, %", "scale": {"domain": [0, 100]}},
            "color": run_colour(names),
            "tooltip": [{"field": "run"}, {"field": "class"}, {"field": "iou", "title": "IoU, %", "format": ".1f"}],
        },
    )
    yield Plot("classes", "IoU by class", "Classes that neither a label nor a class map has are left out.", spec)
