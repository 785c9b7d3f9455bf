"""Printing: results to stdout, as a table or as one JSON object; progress to stderr."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


def print_json(result: dict[str, Any]) -> None:
    """Print one JSON object."""
    click.echo(json.dumps(result, indent=2))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, left: bool = False) -> None:
    """Print a table; columns after the first are set flush right, or all ``left`` where they hold text."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", title_style="bold", box=None, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i and not left else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    _console().print(table)


def print_fields(title: str, fields: Sequence[tuple[str, object]]) -> None:
    """Print names with their values, a line each."""
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(title), title_justify="left", title_style="bold", box=None, pad_edge=False, show_header=False
    )
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in fields:
        table.add_row(name, Text(str(value)))
    _console().print(table)


def _console() -> "Console":
    """Wide where nobody watches, so that lines in files and pipes are not cut."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:  # rich would exit with 1, which is a gate's
            raise BrokenPipeError

    return Output(width=None if sys.stdout.isatty() else 160, highlight=False)


def progress(line: str) -> None:
    """Print one line of progress."""
    click.echo(f"{line} ...", err=True)


def megabytes(count: int) -> str:
    """Return a number of bytes for people, 1 MB = 10^6 bytes."""
    return f"{count / 1e6:.1f} MB"


def gmacs(count: float) -> str:
    """Return a number of multiply-accumulates for people."""
    return f"{count / 1e9:.2f}"
