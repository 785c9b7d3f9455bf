"""A plot as a Vega-Lite specification, and the colours it is drawn in.

Colours are CSS variables: the page draws SVG, so that light, dark and print are a matter of its style sheet. Vega-Lite
is inlined from ``vl-convert-python``, which also turns the same specifications into PNG without a browser. It was taken
over Bokeh and Plotly because the library is 0.9 MB of every page (Bokeh 3: 1.3 MB, Plotly 6: 4.8 MB; all of free
licences), because it draws SVG that prints sharp and takes its colours from CSS (Bokeh draws on a canvas), and because
a plot is data: it can be tested, and drawn by other programs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BRANCH_COLOURS = {"hr": "var(--hr)", "lr": "var(--lr)"}
RUN_COLOURS = tuple(f"var(--run{number})" for number in range(12))

LIGHT = {
    "--ink": "#1b2330",
    "--soft": "#5b6675",
    "--line": "#dfe3e9",
    "--paper": "#ffffff",
    "--hr": "#c2410c",
    "--lr": "#1d4ed8",
    "--warn": "#b45309",
    "--run0": "#1d4ed8",
    "--run1": "#c2410c",
    "--run2": "#0f766e",
    "--run3": "#7e22ce",
    "--run4": "#be123c",
    "--run5": "#4d7c0f",
    "--run6": "#0e7490",
    "--run7": "#854d0e",
    "--run8": "#4b5563",
    "--run9": "#a21caf",
    "--run10": "#4338ca",
    "--run11": "#166534",
}
DARK = {
    "--ink": "#e8ecf2",
    "--soft": "#9aa7b8",
    "--line": "#303a48",
    "--paper": "#161c25",
    "--hr": "#fb923c",
    "--lr": "#7aa8ff",
    "--warn": "#fbbf24",
    "--run0": "#7aa8ff",
    "--run1": "#fb923c",
    "--run2": "#5eead4",
    "--run3": "#d8b4fe",
    "--run4": "#fda4af",
    "--run5": "#bef264",
    "--run6": "#67e8f9",
    "--run7": "#fcd34d",
    "--run8": "#cbd5e1",
    "--run9": "#f0abfc",
    "--run10": "#a5b4fc",
    "--run11": "#86efac",
}
"""Values of the variables; each colour has 4.5:1 against its ``--paper``."""


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot.

    Attributes:
        key: unique on the page; letters, digits and hyphens.
        title: above it.
        note: beneath it: how to read it.
        spec: Vega-Lite, as wide as its place.
        wide: it takes the whole width of the page.
    """

    key: str
    title: str
    note: str
    spec: dict[str, Any]
    wide: bool = False


def spec_of(*, height: int, data: Sequence[Mapping[str, Any]], legend: int = 0, **rest: Any) -> dict[str, Any]:
    """Return a specification with the common frame.

    Args:
        height: of what is drawn, pixels; axis and legend come on top.
        data: rows.
        legend: lines of the legend.
        rest: ``mark`` and ``encoding``, or ``layer``.
    """
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "height": height + AXIS + LEGEND_LINE * legend,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": [dict(row) for row in data]},
        "config": CONFIG,
        **rest,
    }


def run_colour(names: Sequence[str], *, legend: bool = True, title: str = "") -> dict[str, Any]:
    """Return the encoding of a run's colour; ``names`` fixes which colour each has."""
    colours = [RUN_COLOURS[number % len(RUN_COLOURS)] for number in range(len(names))]
    shown = {"orient": "bottom", "columns": 1, "title": None, "labelLimit": 300} if legend else None
    return {
        "field": "run",
        "type": "nominal",
        "title": title or "run",
        "sort": None,
        "scale": {"domain": list(names), "range": colours},
        "legend": shown,
    }


def named(record: str, run: str, *, many: bool) -> str:
    """Return how a run is called on the page."""
    return f"{record}: {run}" if many else run


AXIS, LEGEND_LINE = 48, 17
"""Pixels that the axis below a plot and a line of its legend take."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
CONFIG: dict[str, Any] = {
    "font": FONT,
    "background": "transparent",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--soft)",
        "titleColor": "var(--soft)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "labelLimit": 170,
    },
    "legend": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--soft)",
        "labelFontSize": 12,
        "symbolSize": 90,
    },
    "text": {"color": "var(--ink)", "fontSize": 12},
    "rule": {"color": "var(--soft)"},
}
