"""The options that say how an overlay looks."""

import functools
from collections.abc import Callable
from typing import Any

import click

from edge_arseg.video.overlay.style import DEFAULT_STYLE, PALETTES, OverlayStyle


def overlay_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the overlay; the command gets them as ``style``, an ``OverlayStyle``."""

    @click.option(
        "--alpha",
        type=click.FloatRange(0, 1),
        default=DEFAULT_STYLE.alpha,
        show_default=True,
        help="Share of the class colour in the overlay, 0 (the picture alone) to 1 (the classes alone).",
    )
    @click.option(
        "--palette",
        type=click.Choice(PALETTES),
        default=DEFAULT_STYLE.palette,
        show_default=True,
        help="Colours of the classes in the overlay: contrast, far apart also for colour-blind people; or dataset, "
        "those of the bundle.",
    )
    @_switch("legend", "List of the classes in the overlay with their shares, beside branch, latency and fps.")
    @_switch("labels", "Names of the classes on their largest regions in the overlay.")
    @_switch("contours", "Lines along the borders of regions in the overlay.")
    @click.option(
        "--strip",
        is_flag=True,
        help="Legend in a strip below the picture, which makes the overlay higher. [default: on the picture]",
    )
    @click.option(
        "--compare", is_flag=True, help="Overlay beside the plain picture, which lies to the left. [default: alone]"
    )
    @click.option(
        "--show-motion",
        is_flag=True,
        help="Arrows in the overlay from where the content was in the keyframe. [default: none]",
    )
    @functools.wraps(command)
    def with_style(
        alpha: float,
        palette: str,
        legend: bool,
        labels: bool,
        contours: bool,
        strip: bool,
        compare: bool,
        show_motion: bool,
        **others: Any,
    ) -> Any:
        style = OverlayStyle(
            alpha=alpha,
            palette=palette,
            legend=legend,
            strip=strip,
            labels=labels,
            contours=contours,
            compare=compare,
            motion=show_motion,
        )
        return command(style=style, **others)

    return with_style


def _switch(name: str, text: str) -> Callable[..., Any]:
    return click.option(f"--{name}/--no-{name}", default=getattr(DEFAULT_STYLE, name), show_default=True, help=text)
