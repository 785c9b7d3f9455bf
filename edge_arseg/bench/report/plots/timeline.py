"""Latency, clocks, power, heat and load over the time of the measurement, one panel under the other."""

import math
from collections.abc import Iterator
from typing import Any

from edge_arseg.bench.report.content import Report, Timeline
from edge_arseg.bench.report.plots.plot import BRANCH_COLOURS, Plot, run_colour, spec_of

NAMES = {"latency": "Frame times", "device memory": "GPU memory"}


def plots_from_report(report: Report) -> Iterator[Plot]:
    """Yield a panel for each quantity of each record; what a warning is about is shaded."""
    many = len(report.verdicts) > 1
    for number, one in enumerate(report.timelines):
        bands = [
            {"from": w.start_s, "to": w.end_s, "text": w.text}
            for w in report.warnings
            if w.record == one.record and w.start_s is not None and w.end_s is not None
        ]
        own = [series for t in report.timelines if t.record == one.record for series in t.series]
        span = (min(series.seconds[0] for series in own), max(series.seconds[-1] for series in own))
        title = NAMES.get(one.quantity, one.quantity.capitalize())
        note = "Drawn: the smallest and the largest value of each stretch." if one.thinned else "Every value is drawn."
        if bands:
            note += " Shaded: what a warning is about."
        yield Plot(
            f"timeline-{number}",
            f"{one.record}: {title}" if many else title,
            note,
            _spec(one, bands, span),
            wide=True,
        )


def _spec(one: Timeline, bands: list[dict[str, Any]], span: tuple[float, float]) -> dict[str, object]:
    rows = [
        {"run": series.name, "s": s, "value": value}
        for series in one.series
        for s, value in zip(series.seconds, series.values, strict=True)
    ]
    latency = one.quantity == "latency"
    if latency:
        for row in rows:
            row["branch"] = str(row["run"]).rpartition(", ")[2]
    mark: dict[str, object] = {
        "type": "line",
        "strokeWidth": 1.6,
        "interpolate": "linear",
        "invalid": "break-paths-show-domains",
    }
    if latency:
        mark = {"type": "point", "filled": True, "size": 12, "opacity": 0.75}
    x = {
        "type": "quantitative",
        "title": "seconds since the beginning",
        "scale": {"domain": [math.floor(span[0]), round(span[1], 1)], "nice": False},
        "axis": {"tickCount": 6},
    }
    unit = f"{one.quantity}, {one.unit}" if one.unit else one.quantity
    layers: list[dict[str, Any]] = []
    if bands:
        layers.append(
            {
                "data": {"values": bands},
                "mark": {"type": "rect", "color": "var(--warn)", "opacity": 0.18},
                "encoding": {"x": {"field": "from", **x}, "x2": {"field": "to"}, "tooltip": [{"field": "text"}]},
            }
        )
    layers.append(
        {
            "mark": mark,
            "encoding": {
                "x": {"field": "s", **x},
                "y": {"field": "value", "type": "quantitative", "title": unit, "scale": {"zero": latency}},
                "color": _branch_colour(rows)
                if latency
                else run_colour([series.name for series in one.series], title="series"),
                "tooltip": [
                    {"field": "run", "title": "of"},
                    {"field": "s", "title": "second", "format": ".2f"},
                    {"field": "value", "title": unit, "format": ".4g"},
                ],
            },
        }
    )
    return spec_of(
        height=170 if latency else 110, legend=2 if latency else len(one.series) + 1, data=rows, layer=layers
    )


def _branch_colour(rows: list[dict[str, Any]]) -> dict[str, object]:
    branches = list(dict.fromkeys(row["branch"] for row in rows))
    return {
        "field": "branch",
        "type": "nominal",
        "title": "branch",
        "scale": {"domain": branches, "range": [BRANCH_COLOURS[name.lower()] for name in branches]},
        "legend": {"orient": "bottom", "title": None},
    }
