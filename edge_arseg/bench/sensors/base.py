"""What every sensor does."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge_arseg.bench.records.energy import Channel

GARBAGE = math.inf
"""A reading that cannot be: no number, or one that no machine has."""

MISSING = math.nan
"""No reading: the sensor did not answer."""

_NUMBER = re.compile(r"-?[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class BoardRails:
    """A declared board's power monitors: their driver, and the rails whose sum is the total.

    It has its own type so that the process that reads sensors need not import what reads ``targets/``.
    """

    driver: str
    total: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where sensors are looked for.

    Attributes:
        root: of the file system that ``/sys`` and ``/proc`` are read from.
        boards: rails of every board that is declared.
        process: id of the process that is measured.
    """

    root: Path
    boards: tuple[BoardRails, ...] = ()
    process: int = 0


class Sensor(Protocol):
    """Reads some channels again and again.

    A module of sensors has ``find(machine) -> Sensor | None`` and stands in ``SENSORS``: nothing else names it.

    Attributes:
        source: which sensor, and what makes the total, in words.
        channels: what it reads; those that make the machine's total power or energy are marked.
        interval_s: time from one reading to the next.
    """

    source: str
    channels: tuple[Channel, ...]
    interval_s: float

    def read(self) -> Sequence[float]:
        """Return a value for each channel: ``MISSING`` where it does not answer, ``GARBAGE`` where it cannot be."""

    def close(self) -> None:
        """Let go of what it holds; calling it twice is allowed."""


def text_of(path: Path) -> str:
    """Return what is in a file of the kernel; empty where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def is_closed(path: Path) -> bool:
    """Return whether a file is there and may not be read by this user: many kernels show power to root alone."""
    try:
        with path.open():
            return False
    except PermissionError:
        return True
    except OSError:
        return False


def number_of(path: Path) -> int | None:
    """Return the number in a file of the kernel; ``None`` where there is none."""
    text = text_of(path)
    return int(text) if _NUMBER.fullmatch(text) else None


def value_of(path: Path, scale: float = 1.0) -> float:
    """Return the number in a file times ``scale``; ``MISSING`` without one, ``GARBAGE`` for anything else."""
    text = text_of(path)
    if not text:
        return MISSING
    return scale * int(text) if _NUMBER.fullmatch(text) else GARBAGE


def total_of(names: Iterable[str], boards: Iterable[BoardRails]) -> tuple[str, ...]:
    """Return the rails that make a board's total: the declared set that is there, one rail before a sum.

    Returns:
        Their names; nothing where no board has these.
    """
    there = set(names)
    declared = sorted({rails.total for rails in boards}, key=lambda total: (len(total), total))
    return next((total for total in declared if there.issuperset(total)), ())
