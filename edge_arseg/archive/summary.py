"""The summary of an archive: a line of JSON for each video."""

import json
from collections.abc import Iterable
from pathlib import Path

from edge_arseg.archive.outcome import Outcome, outcome_from_row
from edge_arseg.errors import SinkError
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.whole import write_whole
from edge_arseg.storage.url import printable

_LONGEST = 1 << 20
"""Bytes of a line: shares of classes are some kilobytes."""


def is_summary(path: Path) -> bool:
    """Whether a file is a summary, or empty: what no other program's file would be taken for."""
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST):
                outcome_from_row(json.loads(line))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False
    return True


def write_summary(path: Path, outcomes: Iterable[Outcome]) -> None:
    """Write a line for each video, in order.

    Raises:
        SinkError: it cannot be written.
    """
    lines = "".join(json.dumps(outcome.row()) + "\n" for outcome in outcomes)
    try:
        write_whole(path, lines.encode())
    except OSError as error:
        raise SinkError(f"cannot write {printable(str(path))}: {advice_on(error, path)}") from error
