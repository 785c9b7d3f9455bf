"""Histograms of frame times, the humps of the two branches apart."""

from collections.abc import Iterator

from edge_arseg.bench.report.content import Histogram, Report
from edge_arseg.bench.report.plots.plot import BRANCH_COLOURS, Plot, named, spec_of
from edge_arseg.quantity import counted


def plots_from_report(report: Report) -> Iterator[Plot]:
    """Yield a histogram for each run."""
    many = len(report.verdicts) > 1
    runs: dict[tuple[str, str], list[Histogram]] = {}
    for one in report.histograms:
        runs.setdefault((one.record, one.run), []).append(one)
    for number, ((record, run), both) in enumerate(runs.items()):
        counts = " and ".join(counted(sum(one.counts), f"{one.branch.upper()} frame") for one in both)
        yield Plot(
            f"latency-{number}",
            named(record, run, many=many),
            f"{counts}, none left out; lines: p50 and, where the samples carry it, p99.",
            _spec(both),
        )


def _spec(both: list[Histogram]) -> dict[str, object]:
    rows, rules = [], []
    for one in both:
        total = sum(one.counts)
        for place, count in enumerate(one.counts):
            if count:
                start = one.start_ms + place * one.width_ms
                rows.append(
                    {
                        "branch": one.branch.upper(),
                        "from": round(start, 5),
                        "to": round(start + one.width_ms, 5),
                        "percent": 100 * count / total,
                        "frames": count,
                    }
                )
        for name, value in (("p50", one.p50_ms), ("p99", one.p99_ms)):
            if value is not None:
                rules.append({"branch": one.branch.upper(), "name": name, "ms": value})
    branches = [one.branch for one in both]
    colour = {
        "field": "branch",
        "type": "nominal",
        "scale": {"domain": [b.upper() for b in branches], "range": [BRANCH_COLOURS[b] for b in branches]},
        "legend": {"orient": "top", "title": None},
    }
    layers: list[dict[str, object]] = [
        {
            "mark": {"type": "bar", "opacity": 0.8, "binSpacing": 0},
            "encoding": {
                "x": {
                    "field": "from",
                    "bin": "binned",
                    "type": "quantitative",
                    "title": "ms from asking for a frame to its class map",
                    "axis": {"tickCount": 6},
                    "scale": {"zero": False},
                },
                "x2": {"field": "to"},
                "y": {"field": "percent", "type": "quantitative", "title": "% of the branch's frames", "stack": None},
                "color": colour,
                "tooltip": [
                    {"field": "branch", "title": "branch"},
                    {"field": "from", "title": "from, ms", "format": ".3f"},
                    {"field": "to", "title": "to, ms", "format": ".3f"},
                    {"field": "frames", "title": "frames"},
                ],
            },
        }
    ]
    if rules:
        layers.append(
            {
                "data": {"values": rules},
                "mark": {"type": "rule", "strokeWidth": 1.5},
                "encoding": {
                    "x": {"field": "ms", "type": "quantitative"},
                    "color": colour,
                    "strokeDash": {
                        "field": "name",
                        "type": "nominal",
                        "scale": {"domain": ["p50", "p99"], "range": [[1, 0], [4, 3]]},
                        "legend": None,
                    },
                    "tooltip": [{"field": "branch"}, {"field": "name"}, {"field": "ms", "format": ".2f"}],
                },
            }
        )
    return spec_of(height=170, legend=1, data=rows, layer=layers)
