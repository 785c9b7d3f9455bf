"""Arguments of public functions: what is of another kind is refused where it comes in, not where it is used first."""

import math
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path
from types import UnionType
from typing import Any

from edge_arseg.errors import OptionError

_LONGEST = 80
"""Characters of a value that a message shows: an array may have a million."""


def refusal_of(what: str, value: object, expected: str) -> OptionError:
    """Return the error on an argument: what it is, what was seen, and what is expected."""
    shown = " ".join(repr(value).split())
    if len(shown) > _LONGEST:
        shown = f"{shown[:_LONGEST]}..."
    return OptionError(f"{what} {shown} seen, expected {expected}")


def check_kind(what: str, value: object, kind: type | UnionType, expected: str) -> None:
    """Refuse a value of another kind.

    Raises:
        OptionError: it is of another kind.
    """
    if not isinstance(value, kind):
        raise refusal_of(what, value, expected)


def check_callable(what: str, value: object, expected: str) -> None:
    """Refuse what cannot be called.

    Raises:
        OptionError: it cannot.
    """
    if not callable(value):
        raise refusal_of(what, value, expected)


def is_number(value: object, least: float = -math.inf, most: float = math.inf, *, whole: bool = False) -> bool:
    """Whether a value is a number, not NaN, from ``least`` to ``most``; with ``whole`` a whole one."""
    return isinstance(value, Integral if whole else Real) and least <= value <= most  # type: ignore[operator]


def sides_from(value: Any, least: int) -> tuple[int, int] | None:
    """Return ``(height, width)``, two whole numbers from ``least``; ``None`` where a value is something else."""
    if isinstance(value, str | bytes):
        return None
    try:
        rows, columns = value
    except (TypeError, ValueError):
        return None
    if not is_number(rows, least, whole=True) or not is_number(columns, least, whole=True):
        return None
    return int(rows), int(columns)


def path_from(what: str, value: object) -> Path:
    """Return a path that is given as text or as a path.

    Raises:
        OptionError: it is neither.
    """
    text = fspath(value) if isinstance(value, PathLike) else value
    if not isinstance(text, str):
        raise refusal_of(what, value, "a path, as text or as a pathlib.Path")
    return Path(text)
