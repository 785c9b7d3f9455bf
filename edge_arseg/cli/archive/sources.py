"""Sources that stand in a file, one a line."""

import os
from collections.abc import Sequence
from pathlib import Path

from edge_arseg.errors import SourceError

MOST = 1 << 24
"""Bytes of a list that are read: 16 MB of names."""


def listed_sources(arguments: Sequence[str]) -> list[str]:
    """Return the sources of ``@FILE`` where it has several: a line each, without empty lines and those behind ``#``.

    Args:
        arguments: as typed, the source first.

    Returns:
        None where the file has one source, or where it is no file.

    Raises:
        SourceError: the file cannot be read, or is no text.
    """
    if not arguments or not arguments[0].startswith("@") or os.path.lexists(arguments[0]):
        return []
    file = Path(arguments[0][1:])
    try:
        with file.open("rb") as content:
            data = content.read(MOST + 1)
    except OSError:  # one source: whoever reads its first line says what is wrong
        return []
    lines = [os.fsdecode(line.strip()) for line in data.removeprefix(b"\xef\xbb\xbf").splitlines()]
    sources = [line for line in lines if line and not line.startswith("#")]
    if len(sources) < 2:
        return []
    if len(data) > MOST or b"\0" in data:
        raise SourceError(f"{arguments[0]}: no list of sources; expected a text with a source in each line")
    return sources
