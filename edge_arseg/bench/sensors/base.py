"""What every sensor of energy does."""

import re
from pathlib import Path
from typing import Protocol

_NUMBER = re.compile(r"-?[0-9]{1,20}")


class Sensor(Protocol):
    """Energy of the machine, or of parts of it, by name.

    A module of sensors has ``find(root, boards) -> Sensor | None`` and stands in ``SENSORS``: nothing else names it.

    Attributes:
        source: which sensor, and what makes the total, in words.
        total: names whose sum is what counts; empty where they are not known, and the sensor only says what it saw.
        interval_s: how often it must be read meanwhile; ``None``: at the beginning and at the end.
    """

    source: str
    total: tuple[str, ...]
    interval_s: float | None

    def read(self) -> dict[str, float]:
        """Return joules by name since it was found; none falls, and a name stays where it is unreadable for a while."""


def text_of(path: Path) -> str:
    """Return what is in a file of the kernel; empty where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def number_of(path: Path) -> int | None:
    """Return the number in a file of the kernel; ``None`` where there is none."""
    text = text_of(path)
    return int(text) if _NUMBER.fullmatch(text) else None
