"""What is written of a speed measurement: a module each, and a row in ``REPORTS``."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_arseg.bench.speed import Speed
    from edge_arseg.runtime.bundles.reading import Bundle

REPORTS = {"markdown": "edge_arseg.bench.report.markdown:markdown_from_speed"}
"""Name of each report to ``module:function``, from ``Speed`` and ``Bundle`` to text: a page, or a plot as SVG."""


def report_from_speed(name: str, speed: "Speed", bundle: "Bundle") -> str:
    """Return a report.

    Args:
        name: a key of ``REPORTS``; its module is imported at the first use.
        speed: what was measured.
        bundle: that ran.
    """
    module, _, function = REPORTS[name].partition(":")
    report: Callable[[Speed, Bundle], str] = getattr(import_module(module), function)
    return report(speed, bundle)
