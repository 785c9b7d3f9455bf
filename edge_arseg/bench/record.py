"""Records of the scripts in ``benchmarks/``: values with the conditions they were taken under, as JSON files.

Those of ``bench``, with every sample, are another thing: ``records.bench_record``.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge_arseg.bench.conditions import Conditions, conditions_now
from edge_arseg.errors import SinkError
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.whole import write_whole

REVISION = 1
"""Revision 1 (2026): ``revision``, ``name``, ``taken``, ``conditions``, ``settings``, ``values``."""


@dataclass(frozen=True, slots=True)
class Record:
    """One measurement.

    Attributes:
        revision: of the format.
        name: what was measured.
        taken: when, UTC, ISO 8601.
        conditions: machine, versions and load.
        settings: everything that was chosen: sizes, threads, repetitions.
        values: what came out; names end in their unit.
    """

    revision: int
    name: str
    taken: str
    conditions: Conditions
    settings: dict[str, Any]
    values: dict[str, Any]


def record_now(name: str, *, settings: dict[str, Any], values: dict[str, Any]) -> Record:
    """Make a record of values taken just now by this process."""
    taken = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Record(REVISION, name, taken, conditions_now(), settings, values)


def write_record(record: Record, path: Path) -> Path:
    """Write a record as JSON, whole or not at all; a device or pipe is written to as it is.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        return write_whole(path, (json.dumps(asdict(record), indent=2) + "\n").encode())
    except OSError as error:
        raise SinkError(f"cannot write {path}: {advice_on(error, path, option='-o')}") from error
