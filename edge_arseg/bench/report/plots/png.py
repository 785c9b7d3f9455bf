"""Plots as PNG, for READMEs and other places where no script runs."""

import json
from typing import Any

from edge_arseg.bench.report.plots.plot import LIGHT, Plot

VEGA_LITE = "6.4"
"""Version that plots are drawn with, on the page and as PNG."""


def png_from_plot(plot: Plot, *, width: int = 640, scale: float = 2.0) -> bytes:
    """Return a picture in the light colours, on white.

    Args:
        plot: any.
        width: of the picture, CSS pixels.
        scale: pixels of the picture for each of them.

    Raises:
        EnvironmentUnfitError: vl-convert is missing.
    """
    spec: dict[str, Any] = {**plot.spec, "width": width - 20, "autosize": {"type": "fit", "contains": "padding"}}
    text = json.dumps(spec)
    for name, value in LIGHT.items():
        text = text.replace(f"var({name})", value)
    told = json.loads(text)
    told["title"] = {"text": plot.title, "anchor": "start", "color": LIGHT["--ink"], "fontSize": 14}
    told["config"] = {**told["config"], "background": "#ffffff", "font": "DejaVu Sans", "padding": 10}
    return library().vegalite_to_png(told, vl_version=VEGA_LITE, scale=scale)


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
