"""Arguments of public functions: what is of another kind is refused where it comes in, not where it is used first."""

import math
from enum import Enum
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar

from edge_arseg.errors import OptionError

Named = TypeVar("Named", bound=Enum)

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
    """Whether a value is a number, not NaN, from ``least`` to ``most``; with ``whole`` a whole one.

    ``True`` and ``False`` are none: who passes them has mistaken one argument for another.
    """
    if isinstance(value, bool) or not isinstance(value, Integral if whole else Real):
        return False
    return least <= value <= most  # type: ignore[operator]


def named(kind: type[Named], value: object, what: str) -> Named:
    """Return one of a kind, also one that is given by its name.

    Args:
        kind: of which there are so many.
        value: one, or its name.
        what: it is, for the message.

    Raises:
        OptionError: there is none of this name.
    """
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(str(one.value) for one in kind)
        raise OptionError(f"{what} {value!r} seen, expected one of {known}") from None


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
