"""Where the time of a frame goes."""

from collections.abc import Iterator

from edge_arseg.bench.report.content import Report
from edge_arseg.bench.report.plots.plot import BRANCH_COLOURS, Plot, named, spec_of

ORDER = ("decode", "motion", "hr", "lr", "fuse", "head", "unexplained")
COLOURS = {
    **BRANCH_COLOURS,
    "decode": "var(--run7)",
    "motion": "var(--run6)",
    "fuse": "var(--run3)",
    "head": "var(--run2)",
}
"""Colours of the stages; others are grey."""


def plots_from_report(report: Report) -> Iterator[Plot]:
    """Yield one plot of bars: a bar for the HR frames and one for the LR frames of each run."""
    many = len(report.verdicts) > 1
    wall = [one for one in report.stages if not one.beside]
    if not wall:
        return
    stages = sorted({one.stage for one in wall}, key=lambda name: (*ORDER, name).index(name))
    rows = [
        {
            "frame": f"{named(one.record, one.run, many=many)} · {one.branch.upper()}",
            "stage": one.stage,
            "ms": one.ms,
            "order": stages.index(one.stage),
        }
        for one in wall
    ]
    bars = list(dict.fromkeys(row["frame"] for row in rows))
    spec = spec_of(
        height=32 * len(bars),
        legend=len(stages) + 1,
        data=rows,
        mark={"type": "bar", "height": {"band": 0.72}, "stroke": "var(--paper)", "strokeWidth": 1},
        encoding={
            "y": {
                "field": "frame",
                "type": "nominal",
                "sort": bars,
                "title": None,
                "axis": {"labelLimit": 260, "ticks": False, "domain": False},
            },
            "x": {"field": "ms", "type": "quantitative", "title": "mean ms of a frame", "axis": {"tickCount": 6}},
            "color": {
                "field": "stage",
                "type": "nominal",
                "scale": {"domain": stages, "range": [COLOURS.get(name, "var(--soft)") for name in stages]},
                "legend": {"orient": "bottom", "columns": 1, "title": None},
            },
            "order": {"field": "order"},
            "tooltip": [
                {"field": "frame", "title": "frames"},
                {"field": "stage", "title": "stage"},
                {"field": "ms", "title": "mean ms", "format": ".3f"},
            ],
        },
    )
    yield Plot(
        "stages", "Where the time goes", "Mean milliseconds of each stage, HR and LR frames apart.", spec, wide=True
    )
