"""Patterns of image names: numbers (``%06d``) and ``*``, ``?``."""

import os
import re
from pathlib import Path

_COMPANIONS = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
"""Files, in lower case, that Windows and macOS keep in folders of pictures and hide there."""
_NUMBERED = re.compile(r"(.*?)%(0?)(\d*)d(.*)", re.DOTALL)


def is_pattern(name: str) -> bool:
    """Whether a name stands for many: ``%06d`` once, or ``*`` or ``?`` in it."""
    return is_glob(name) or _NUMBERED.fullmatch(name) is not None


def paths_from_pattern(pattern: Path) -> list[Path]:
    """Return the files of a folder that fit a pattern in its last part; none where there is no such folder.

    Numbers may have more digits than the pattern, and gaps. ``*`` and ``?`` do not match a dot at the beginning, as in
    a shell: files that systems hide (``._f000.png``, ``Thumbs.db``) are no images. Names are put in order with the
    numbers in them as numbers, ``f2`` before ``f10``.

    Raises:
        OSError: the folder cannot be looked into.
    """
    folder, name = pattern.parent, pattern.name
    if not os.path.isdir(folder):  # noqa: PTH112 - never raises
        return []
    if is_glob(name):
        parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in name)
        fits = re.compile(("" if name.startswith(".") else r"(?!\.)") + "".join(parts), re.DOTALL)
        names = (path for path in folder.iterdir() if path.name.lower() not in _COMPANIONS)
        found = (path for path in names if fits.fullmatch(path.name))
        return sorted((path for path in found if not path.is_dir()), key=natural)
    number = _number(name)
    numbered = ((number.fullmatch(path.name), path) for path in folder.iterdir()) if number else ()
    return [path for _, path in sorted((int(match[1]), path) for match, path in numbered if match)]


def shared_numbers(pattern: Path, paths: list[Path]) -> list[Path]:
    """Return the first files of one number, such as ``f1.png`` and ``f001.png``: their order is unknown."""
    number = _number(pattern.name)
    if number is None or is_glob(pattern.name):
        return []
    by_number: dict[int, list[Path]] = {}
    for path in paths:
        match = number.fullmatch(path.name)
        if match:
            by_number.setdefault(int(match[1]), []).append(path)
    return next((group for group in by_number.values() if len(group) > 1), [])


def shorter_numbers(pattern: Path) -> list[Path]:
    """Return the files that would fit with fewer digits: ``f1.png`` for ``f%03d.png``."""
    match = _NUMBERED.fullmatch(pattern.name)
    if match is None or is_glob(pattern.name):
        return []
    fitting = set(paths_from_pattern(pattern))
    return [p for p in paths_from_pattern(pattern.with_name(f"{match[1]}%d{match[4]}")) if p not in fitting]


def _number(name: str) -> re.Pattern[str] | None:
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return None
    before, zero, width, after = match.groups()
    digits = rf"[0-9]{{{width},}}" if zero and width else "[0-9]+"
    return re.compile(re.escape(before) + f"({digits})" + re.escape(after), re.DOTALL)


def is_glob(name: str) -> bool:
    """Whether a name holds ``*`` or ``?``."""
    return "*" in name or "?" in name


def natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Return what puts names in order with the numbers in them as numbers, ``f2`` before ``f10``."""
    parts = re.split(r"([0-9]+)", path.name)
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)], path.name
