"""Printing: results to stdout, as a table or as one JSON object; progress to stderr."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 10_000
"""Characters of a line where nobody watches: every row of a table is one line in files and pipes."""


def print_json(result: dict[str, Any]) -> None:
    """Print one JSON object."""
    click.echo(json.dumps(result, indent=2))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, left: bool = False) -> None:
    """Print a table; columns after the first are set flush right, or all ``left`` where they hold text."""
    from rich.text import Text

    from edge_arseg.cli.table import table_from_rows

    console = _console()
    console.print(Text(title, style="bold"))
    console.print(table_from_rows(columns, rows, width=console.width, left=left))


def print_fields(title: str, fields: Sequence[tuple[str, object]]) -> None:
    """Print names with their values, a line each."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields:
        table.add_row(name, Text(str(value)))
    console = _console()
    console.print(Text(title, style="bold"))
    console.print(table)


def _console() -> "Console":
    """As wide as the terminal, or COLUMNS; in files and pipes nothing is cut or wrapped."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:  # rich would exit with 1, which is a gate's
            raise BrokenPipeError

    return Output(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def progress(line: str) -> None:
    """Print one line of progress."""
    note(f"{line} ...")


def note(line: str) -> None:
    """Print one line on stderr, unless --quiet was given."""
    from edge_arseg.cli import log

    log.note(line)


def warn(line: str) -> None:
    """Print one line on stderr that the user has to know."""
    from edge_arseg.cli import log

    log.warn(line)


def megabytes(count: int) -> str:
    """Return a number of bytes for people, 1 MB = 10^6 bytes."""
    return f"{count / 1e6:.1f} MB"


def gmacs(count: float) -> str:
    """Return a number of multiply-accumulates for people."""
    return f"{count / 1e9:.2f}"
