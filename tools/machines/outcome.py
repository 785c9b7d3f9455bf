"""What a target found, kept as a record."""

import sys
from pathlib import Path
from typing import Any

from edge_arseg.bench.record import record_now, write_record
from tools.machines.folders import RECORDS


def keep(name: str, *, settings: dict[str, Any], values: dict[str, Any], passed: bool) -> None:
    """Write ``benchmarks/results/NAME.json`` and end the process: 0 where everything passed, else 1.

    No time is kept: emulation and shared machines say nothing about speed. The record's conditions are those of this
    machine; what the other one had is among the settings.
    """
    record = record_now(name, settings=settings, values={"passed": passed, **values})
    path = write_record(record, RECORDS / f"{name}.json")
    print(f"{'passed' if passed else 'FAILED'}; {path}")
    sys.exit(0 if passed else 1)


def flags_of_cpu() -> str:
    """Return the features of this machine's CPU as Linux names them."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(("flags", "Features"))), "")
