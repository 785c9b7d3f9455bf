"""mIoU by distance from the keyframe."""

from collections.abc import Iterator

from edge_arseg.bench.report.content import Report
from edge_arseg.bench.report.plots.plot import Plot, named, run_colour, spec_of


def plots_from_report(report: Report) -> Iterator[Plot]:
    """Yield one plot with a curve for each run that was scored."""
    many = len(report.verdicts) > 1
    rows = [
        {"run": named(one.record, one.run, many=many), "distance": int(distance), "miou": value}
        for one in report.distances
        for distance, value in one.values.items()
        if value is not None
    ]
    if not rows:
        return
    names = list(dict.fromkeys(str(row["run"]) for row in rows))
    spec = spec_of(
        height=220,
        legend=len(names) + 1,
        data=rows,
        mark={"type": "line", "strokeWidth": 2, "point": {"size": 55, "filled": True}},
        encoding={
            "x": {
                "field": "distance",
                "type": "quantitative",
                "title": "frames since the keyframe",
                "axis": {"tickMinStep": 1, "format": "d"},
            },
            "y": {"field": "miou", "type": "quantitative", "title": "mIoU, %", "scale": {"zero": False}},
            "color": run_colour(names),
            "tooltip": [
                {"field": "run"},
                {"field": "distance"},
                {"field": "miou", "title": "mIoU, %", "format": ".2f"},
            ],
        },
    )
    yield Plot(
        "distance", "mIoU by distance", "0 is the keyframe. What AR loses and HR-only does not, motion lost.", spec
    )
