"""A size whose rows and columns were probably typed the other way round, as width x height."""

import re
from typing import Final

LANDSCAPE: Final = (3, 4)
"""What a size is compared with where there is no picture: most are wider than high."""
_NEAR: Final = 1.5
"""Factor between two shapes that may be meant for each other: 16:9 and 4:3 are 1.33 apart."""


def swap_meant(size: tuple[int, int], like: tuple[int, int], what: str) -> str:
    """Return what to say of a size that lies across what it is for, and would be like it the other way round.

    Empty where it does not, as where one of them is square.

    Args:
        size: as typed, rows and columns.
        like: rows and columns of what it is for, as shown; ``LANDSCAPE`` where that is not known.
        what: it is for, such as ``the pictures of drive.mp4``; not said where ``like`` is ``LANDSCAPE``.
    """
    rows, columns = size
    across = (rows - columns) * (like[0] - like[1]) < 0
    if not across or not 1 / _NEAR <= (rows / columns) / (like[1] / like[0]) <= _NEAR:
        return ""
    seen = f"{rows}x{columns} is {rows} rows and {columns} columns"
    shape = "" if like == LANDSCAPE else f", and {what} have {like[0]} rows and {like[1]} columns"
    return f"{seen}{shape}; where {rows} wide and {columns} high is meant, type {columns}x{rows}"


def swap_meant_of_camera(text: str) -> str:
    """Return what to say of a camera's size that is higher than wide: it alone is typed as width x height.

    Empty where it is none.

    Args:
        text: as typed, ``1280x720``.
    """
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None or int(match[1]) >= int(match[2]):
        return ""
    width, height = match.groups()
    return (
        f"{text} of a camera is {width} wide and {height} high; where {width} rows and {height} columns are meant, "
        f"type {height}x{width}"
    )
