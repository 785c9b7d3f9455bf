"""What a report is written as, by the end of its file's name."""

from collections.abc import Callable
from importlib import import_module

from edge_arseg.bench.report.content import Report

FORMATS = {
    "html": "edge_arseg.bench.report.formats.html_page:html_from_report",
    "md": "edge_arseg.bench.report.formats.markdown_page:markdown_from_report",
    "csv": "edge_arseg.bench.report.formats.csv_table:csv_from_report",
    "json": "edge_arseg.bench.report.formats.json_object:json_from_report",
}
"""Format to ``module:function``, from ``Report`` to text; its module is imported at the first use."""


def text_from_report(report: Report, kind: str) -> str:
    """Return a report in one of ``FORMATS``.

    Raises:
        EnvironmentUnfitError: a library that this format needs is missing.
    """
    module, _, function = FORMATS[kind].partition(":")
    write: Callable[[Report], str] = getattr(import_module(module), function)
    return write(report)
