"""What is drawn of a report: a module each, and a row in ``PLOTS``."""

from collections.abc import Callable, Iterable
from importlib import import_module

from edge_arseg.bench.report.content import Report
from edge_arseg.bench.report.plots.plot import Plot

PLOTS = {
    "trade": "edge_arseg.bench.report.plots.trade:plots_from_report",
    "stages": "edge_arseg.bench.report.plots.stages:plots_from_report",
    "latency": "edge_arseg.bench.report.plots.latency:plots_from_report",
    "timeline": "edge_arseg.bench.report.plots.timeline:plots_from_report",
    "distance": "edge_arseg.bench.report.plots.distance:plots_from_report",
    "classes": "edge_arseg.bench.report.plots.classes:plots_from_report",
    "memory": "edge_arseg.bench.report.plots.memory:plots_from_report",
}
"""Section of the page to ``module:function``, from ``Report`` to its plots; no plot where nothing was measured."""


def plots_of(report: Report) -> dict[str, list[Plot]]:
    """Return the plots of each section that has any, in the order of ``PLOTS``."""
    found = {}
    for section, place in PLOTS.items():
        module, _, function = place.partition(":")
        draw: Callable[[Report], Iterable[Plot]] = getattr(import_module(module), function)
        if plots := list(draw(report)):
            found[section] = plots
    return found
