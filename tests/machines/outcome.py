"""What a target found, kept as a record."""

import sys
from typing import Any

from machines.folders import RECORDS

from edge_arseg.bench.record import record_now, write_record


def keep(name: str, *, settings: dict[str, Any], values: dict[str, Any], passed: bool) -> None:
    """Write ``benchmarks/results/NAME.json`` and end the process: 0 where everything passed, else 1.

    No time is kept: emulation and shared machines say nothing about speed.
    """
    record = record_now(name, settings=settings, values={"passed": passed, **values})
    path = write_record(record, RECORDS / f"{name}.json")
    print(f"{'passed' if passed else 'FAILED'}; {path}")
    sys.exit(0 if passed else 1)
