"""Parameter types and options that several commands share."""

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edge_arseg.runtime.engines.contract import AUTO, EngineOptions
from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.runtime.fusion.opening import CHOICES

BACKEND_HELP = (
    f"Engine library: {', '.join(BACKENDS)}; or auto: the engine of the bundle's target, else the fastest that gives "
    "the right classes on this machine, found at the first use and remembered."
)


class SizeType(click.ParamType):
    """Rows x columns, like ``720x960``; converts to ``(720, 960)``."""

    name = "HxW"

    def convert(
        self, value: str | tuple[int, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Parse ``value``."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", value.strip())
        if not match:
            self.fail(f"{value!r} seen, expected rows x columns like 720x960", param, ctx)
        return int(match[1]), int(match[2])


SIZE = SizeType()

bundle_option: Callable = click.option(
    "-b",
    "--bundle",
    type=click.Path(path_type=Path),
    help="Bundle to use, a folder NAME.arseg. [default: the fastest in the package that gives the right classes here]",
)
backend_option: Callable = click.option("--backend", default=AUTO, show_default=True, help=BACKEND_HELP)
json_option: Callable = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


def motion_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--motion`` and ``--recode-scale``."""
    source = click.option(
        "--motion", type=click.Choice(["auto", "codec", "recode", "zero"]), default="auto", show_default=True
    )
    scale = click.option(
        "--recode-scale",
        type=click.FloatRange(0.1, 1),
        default=1.0,
        show_default=True,
        help="Recode at this share of the size: 0.5 takes a third of the time and finds coarser motion.",
    )
    return source(scale(command))


stream_option: Callable = click.option(
    "--stream",
    type=click.IntRange(0),
    help="Number of the video stream in a container, counted from 0 over all its streams. [default: the largest video]",
)


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--fusion``, ``--backend``, ``--threads`` and ``--unchecked``; the command gets them as ``engines``."""

    @click.option("--fusion", type=click.Choice(CHOICES), default="auto", show_default=True)
    @backend_option
    @click.option("--threads", type=click.IntRange(1), help="Of the engines. [default: all cores]")
    @click.option(
        "--unchecked",
        is_flag=True,
        help="Permission to run a bundle whose golden frames do not get the right classes here: a warning, and a mark "
        "in every record, in place of exit code 3.",
    )
    @functools.wraps(command)
    def with_engines(fusion: str, backend: str, threads: int | None, unchecked: bool, **others: Any) -> Any:
        return command(engines=EngineOptions(fusion, backend, threads, unchecked), **others)

    return with_engines
