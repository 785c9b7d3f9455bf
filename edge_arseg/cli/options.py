"""Parameter types and options that several commands share."""

import re
from collections.abc import Callable
from pathlib import Path

import click


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
    help="Bundle to use. [default: the one shipped with the package]",
)
json_option: Callable = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
