"""An external meter's log, as CSV: a time and watts in each line."""

import csv
import math
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.sensors.base import GARBAGE
from edge_arseg.errors import DataError

MOST_TOLD = 5
"""Columns of a log that are named where those that are needed are missing."""
TIMES = ("time", "timestamp", "time_s", "datetime", "date")
POWERS = ("watts", "power_w", "power", "w", "power [w]", "watt")
MILLIWATTS = ("milliwatts", "power_mw", "mw")
_MOMENT = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)[Tt ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,6})\d*)?)? ?"
    r"(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?"
)
"""A moment in ISO 8601, of which Python 3.10 reads a part only."""


def readings_of_meter(path: Path, began: datetime) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a meter logged on its own clock, which must be that of this machine (NTP).

    Args:
        path: of a CSV with a header: a time (seconds since 1970, or ISO 8601; without a zone it is UTC) and the power.
        began: when the record's clock was at 0.

    Returns:
        Seconds on the record's clock, rising, and watts; a line that cannot be read gives ``GARBAGE`` at the time of
        the one before it, and so does less than nothing, as of a clamp that is put on the wrong way round.

    Raises:
        DataError: the file cannot be read, or has no such columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            lines = csv.reader(file)
            header = [name.strip().lower() for name in next(lines, [])]
            rows = list(lines)
    except (OSError, csv.Error) as error:
        raise DataError(
            f"{path}: the meter's log cannot be read: {getattr(error, 'strerror', None) or error}; expected a CSV with "
            "columns for time and watts"
        ) from error
    when = next((i for i, name in enumerate(header) if name in TIMES), None)
    what = next((i for i, name in enumerate(header) if name in (*POWERS, *MILLIWATTS)), None)
    if when is None or what is None:
        more = f" and {len(header) - MOST_TOLD} more" if len(header) > MOST_TOLD else ""
        raise DataError(
            f"{path}: columns {', '.join(header[:MOST_TOLD]) or 'none'}{more} seen, expected a time "
            f"({', '.join(TIMES)}) and a power "
            f"({', '.join((*POWERS, *MILLIWATTS))})"
        )
    scale = 1e-3 if header[what] in MILLIWATTS else 1.0
    times: list[float] = []
    watts: list[float] = []
    for row in rows:
        time_s = _seconds(row[when]) if len(row) > when else math.nan
        value = _number(row[what]) if len(row) > what else math.nan
        if math.isnan(time_s) and not times:
            continue
        times.append(times[-1] if math.isnan(time_s) else time_s - began.timestamp())
        watts.append(scale * value if value >= 0 and not math.isnan(time_s) else GARBAGE)
    order = np.argsort(times, kind="stable")
    return np.asarray(times, float)[order], np.asarray(watts, float)[order]


def readings_by_session(
    times: NDArray[np.float64], watts: NDArray[np.float64], sessions: Sequence[tuple[float, float]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return readings of a wall clock on the clock of a record that was gone on with, which did not run between.

    Args:
        times: seconds since 1970, rising; ``watts`` at them.
        sessions: of each process that measured, in order: the record's clock when it began, and seconds since 1970.
    """
    found = []
    for number, (clock_s, wall_s) in enumerate(sessions):
        own = times - wall_s + clock_s
        ends_s = sessions[number + 1][0] if number + 1 < len(sessions) else math.inf
        inside = (own < ends_s) & ((own >= clock_s) | (number == 0))
        found.append((own[inside], watts[inside]))
    return np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def _seconds(text: str) -> float:
    if not math.isnan(number := _number(text)):
        return number
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return math.nan
    year, month, day, hour, minute, second, decimals, sign, hours, minutes = found.groups("")
    time = f"{hour}:{minute}:{second or '00'}.{decimals.ljust(6, '0')}"
    zone = f"{sign}{hours}:{minutes or '00'}" if sign else "+00:00"
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day}T{time}{zone}").timestamp()
    except ValueError:  # a 13th month, a zone of more than a day
        return math.nan
