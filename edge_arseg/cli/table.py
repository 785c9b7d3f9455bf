"""Tables that fit the terminal: in columns where no word has to be broken, else one block for each row."""

from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

GAP = 2
"""Spaces between columns."""
LINES = 4
"""Lines that a cell may take in columns; beyond, a block for each row reads better."""


def widths_of_columns(cells: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """Return how wide columns are so that a table fits and no word is broken; ``None`` where that cannot be.

    Args:
        cells: rows of texts, the heads of the columns among them.
        width: of the terminal, in characters.
    """
    columns = list(zip_longest(*cells, fillvalue=""))
    most = [max(map(len, column)) for column in columns]
    least = [max(len(word) for cell in column for word in cell.split() or [""]) for column in columns]
    room = width - GAP * (len(columns) - 1)
    if sum(most) <= room:
        return most
    spare = room - sum(least)
    if spare < 0:
        return None
    found = list(least)
    wanting = sorted(range(len(columns)), key=lambda i: most[i] - least[i])
    for count, i in zip(range(len(wanting), 0, -1), wanting, strict=True):  # those that want little get all of it
        given = min(most[i] - least[i], spare // count)
        found[i] += given
        spare -= given
    high = max(len(wrap(cell, found[i])) for i, column in enumerate(columns) for cell in column if cell)
    return found if high <= LINES else None


def table_from_rows(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, width: int, left: bool = False
) -> "Table":
    """Return a table for a terminal of a width.

    Args:
        columns: their heads; empty for one that explains itself.
        rows: cells, by column.
        width: in characters.
        left: all columns flush left; else those after the first flush right.
    """
    from rich.text import Text

    cells = [[str(cell) for cell in row] for row in rows]
    widths = widths_of_columns([list(columns), *cells], width)
    if widths is None:
        return _blocks(columns, cells)
    table = _plain()
    for i, (column, wide) in enumerate(zip(columns, widths, strict=True)):
        table.add_column(column, justify="right" if i and not left else "left", overflow="fold", width=wide)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _blocks(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> "Table":
    """A block for each row: its first cell, then the others behind the heads of their columns."""
    from rich.text import Text

    heads = max(len(column) for column in columns)
    blocks = _plain(head=False)
    blocks.add_column(overflow="fold")
    for row in cells:
        if row[0]:
            blocks.add_row(Text(row[0], style="bold"))
        block = _plain(head=False)
        block.add_column(no_wrap=True)
        block.add_column(overflow="fold")
        for column, cell in zip(columns[1:], row[1:], strict=True):
            if cell:
                block.add_row(Text(f"  {column}".ljust(heads + GAP), style="dim"), Text(cell))
        blocks.add_row(block)
    return blocks


def _plain(*, head: bool = True) -> "Table":
    from rich.table import Table

    return Table(box=None, pad_edge=False, show_header=head)
