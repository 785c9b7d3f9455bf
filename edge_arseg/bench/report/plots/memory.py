"""Memory of each run."""

from collections.abc import Iterator

from edge_arseg.bench.report.content import Report
from edge_arseg.bench.report.plots.plot import Plot, run_colour, spec_of


def plots_from_report(report: Report) -> Iterator[Plot]:
    """Yield a plot of bars for resident memory, and one for GPU memory where it was measured."""
    for measure, title in (("peak_mb", "Resident memory"), ("device_mb", "GPU memory")):
        rows = [
            {"run": row.label, "mb": getattr(row, measure)} for row in report.rows if getattr(row, measure) is not None
        ]
        if not rows:
            continue
        names = [row["run"] for row in rows]
        spec = spec_of(
            height=30 * len(rows),
            data=rows,
            mark={"type": "bar", "height": {"band": 0.7}},
            encoding={
                "y": {"field": "run", "type": "nominal", "sort": names, "title": None, "axis": {"ticks": False}},
                "x": {"field": "mb", "type": "quantitative", "title": "MB at most", "axis": {"tickCount": 5}},
                "color": run_colour(names, legend=False),
                "tooltip": [{"field": "run"}, {"field": "mb", "title": "MB", "format": ".0f"}],
            },
        )
        note = "Engines of runs that take turns are open at the same time, and are in each other's peak."
        yield Plot(f"memory-{measure.replace('_', '-')}", title, note, spec)
