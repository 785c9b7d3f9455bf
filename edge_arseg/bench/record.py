"""Measurement records: values with the conditions they were taken under, as JSON files."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge_arseg.bench.conditions import Conditions, conditions_now

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
    """Write a record as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(json.dumps(asdict(record), indent=2) + "\n")
    return part.replace(path)
