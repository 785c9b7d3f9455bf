"""A report as one HTML file that needs nothing else: no network, no other file."""

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from edge_arseg.bench.compare.times import FAST
from edge_arseg.bench.report.content import Report
from edge_arseg.bench.report.formats.markdown_page import cell, published_notes, shown_columns, warnings_in_short
from edge_arseg.bench.report.plots import plots_of
from edge_arseg.bench.report.plots.plot import DARK, LIGHT
from edge_arseg.bench.report.plots.png import VEGA_LITE, library
from edge_arseg.bench.report.plots.trade import FEW
from edge_arseg.bench.report.rows import Row
from edge_arseg.bench.report.worst_frames import Picture

TILES = (
    ("miou", "mIoU", "%", 1),
    ("fps", "frames a second", "", 1),
    ("p50_ms", "p50", "ms", 1),
    ("p99_ms", "p99", "ms", 1),
    ("j_per_frame", "energy a frame", "J", 3),
    ("gmacs", "GMACs a frame", "", 2),
)
OPEN_TABLES = 3
"""Tables of layers that are shown at first: those of the first run; the others open at a click."""
LAYERS = 12
"""Layers of a graph that are listed; the rest is one line."""


def html_from_report(report: Report, pictures: Sequence[Picture] = ()) -> str:
    """Return the page.

    Args:
        report: what it says.
        pictures: of the worst frames, where there are any.

    Raises:
        EnvironmentUnfitError: jinja2 or vl-convert is missing.
    """
    convert = library()
    import jinja2

    folder = files("edge_arseg.bench.report.page")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    sections = plots_of(report)
    every = [plot for plots in sections.values() for plot in plots]
    specs = json.dumps({plot.key: plot.spec for plot in every}).replace("<", "\\u003c")
    script = convert.javascript_bundle(vl_version=VEGA_LITE).replace("</script", "<\\/script") if every else ""
    return environment.get_template("report.html.j2").render(
        report=report,
        headline=_headline(report),
        sections=sections,
        columns=shown_columns(report.rows),
        cell=cell,
        numbered=len(report.rows) > FEW,
        warned=warnings_in_short(report),
        many=len(report.verdicts) > 1,
        fast=f"{100 * FAST:g} %",
        layers=_layer_tables(report),
        notes=published_notes(report),
        pictures=pictures,
        light=LIGHT,
        dark=DARK,
        specs=specs,
        library=script,
    )


def _headline(report: Report) -> list[dict[str, str]]:
    """Return the tiles: the numbers of the run that the verdict names."""
    if len(report.verdicts) != 1:
        return []
    row = _named_row(report)
    return [
        _tile(name, None if row is None else getattr(row, measure), unit, digits, row, measure)
        for measure, name, unit, digits in TILES
    ]


def _tile(name: str, value: float | None, unit: str, digits: int, row: Row | None, measure: str) -> dict[str, str]:
    if value is not None:
        return {"name": name, "value": f"{value:.{digits}f}", "unit": unit, "kind": ""}
    few = row is not None and row.why_missing(measure) != "not measured" and measure.endswith("_ms")
    return {"name": name, "value": "too few frames" if few else "not measured", "unit": "", "kind": "none"}


def _named_row(report: Report) -> Row | None:
    from edge_arseg.bench.report.verdict import chosen_row

    return chosen_row(report.rows)


def _layer_tables(report: Report) -> list[dict[str, Any]]:
    """Return the slowest layers of each graph of each run."""
    tables: dict[tuple[str, str, str], list[Any]] = {}
    for one in report.layers:
        tables.setdefault((one.record, one.run, one.graph), []).append(one)
    return [
        {
            "title": f"{run}: {graph.upper()} graph",
            "open": number < OPEN_TABLES,
            "layers": own[:LAYERS],
            "rest": len(own[LAYERS:]),
            "rest_ms": sum(one.ms for one in own[LAYERS:]),
            "widest": max(one.share for one in own),
            "ms": sum(one.ms for one in own),
        }
        for number, ((_, run, graph), own) in enumerate(tables.items())
    ]
