"""TOML, by the standard library, or its backport where Python is older than 3.11."""

import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib


def toml_text(path: Path) -> str:
    """Read a TOML document; a byte order mark, which some editors write, is left out.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not UTF-8.
    """
    return path.read_text(encoding="utf-8-sig")


def data_from_toml(text: str) -> dict[str, Any]:
    """Return what a TOML document says.

    Raises:
        ValueError: it is none, or its numbers or nesting have no end.
    """
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError(str(error)) from error
