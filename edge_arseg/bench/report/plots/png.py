"""Plots as PNG, for READMEs and other places where no script runs."""

import json
from typing import Any

from edge_arseg.bench.report.plots.plot import LIGHT, Plot

VEGA_LITE = "6.4"
"""Version that plots are drawn with, on the page and as PNG."""

WIDTH, SCALE = 640, 2.0
"""A picture's width in CSS pixels, and its own pixels for each of them."""


def png_from_plot(plot: Plot) -> bytes:
    """Return a picture in the light colours, on white.

    Args:
        plot: any.

    Raises:
        EnvironmentUnfitError: vl-convert is missing.
    """
    spec: dict[str, Any] = {**plot.spec, "width": WIDTH - 20, "autosize": {"type": "fit", "contains": "padding"}}
    text = json.dumps(spec)
    for name, value in LIGHT.items():
        text = text.replace(f"var({name})", value)
    told = json.loads(text)
    told["title"] = {"text": plot.title, "anchor": "start", "color": LIGHT["--ink"], "fontSize": 14}
    told["config"] = {**told["config"], "background": "#ffffff", "font": "DejaVu Sans", "padding": 10}
    return library().vegalite_to_png(told, vl_version=VEGA_LITE, scale=SCALE)


def library() -> Any:
    """Return vl-convert.

    Raises:
        EnvironmentUnfitError: it is missing.
    """
    from edge_arseg.errors import EnvironmentUnfitError
    from edge_arseg.installation import install_extra

    try:
        import vl_convert
    except ImportError as error:
        raise EnvironmentUnfitError(
            f"a page with plots needs vl-convert-python and jinja2; type: {install_extra('report')}. Without them "
            "there is Markdown, CSV and JSON"
        ) from error
    return vl_convert
