"""Options of how pictures enter the network, and of the size of what comes out."""

from collections.abc import Callable
from typing import Any

import click

from edge_arseg.cli.options import SizeType
from edge_arseg.spec.geometry.placement import MODEL, SOURCE, FitKind


class OutputSizeType(SizeType):
    """``source``, ``model`` or rows x columns."""

    name = f"{SOURCE}|{MODEL}|HxW"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse ``value``."""
        if value in (SOURCE, MODEL):
            return value
        try:
            height, width = super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} seen, expected {SOURCE}, {MODEL}, or rows x columns like 720x1280", param, ctx)
        if min(height, width) < 16:
            self.fail(f"{value!r} seen, expected at least 16 rows and columns", param, ctx)
        return height, width


fit_option: Callable[..., Any] = click.option(
    "--fit",
    type=click.Choice([kind.value for kind in FitKind]),
    help="Way in which a picture of another shape enters the network: stretched to its shape, whole between two "
    "bars, or with two sides cut off. [default: as the bundle says; letterbox where it names none]",
)
output_size_option: Callable[..., Any] = click.option(
    "--output-size",
    type=OutputSizeType(),
    default=SOURCE,
    show_default=True,
    help="Size of overlays and masks: of the source's pictures, of the frames that the network sees, or rows x "
    "columns in pixels.",
)
