"""The process that is measured: its memory and CPU time, and what others take of the machine meanwhile."""

import os
import time
from pathlib import Path

from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.sensors.base import GARBAGE, MISSING, Machine, Sensor, text_of

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")


class ProcessSensor:
    """A ``Sensor`` of ``/proc``.

    Args:
        folder: ``/proc``.
        process: id of the process.
    """

    interval_s = 0.1

    def __init__(self, folder: Path, process: int) -> None:
        self.source = "memory and CPU time of the process"
        self.channels: tuple[Channel, ...] = (
            Channel("resident memory", "memory"),
            Channel("CPU time of the process", "cpu"),
            Channel("cores that others used", "load"),
        )
        self._folder, self._own = folder, folder / str(process)
        self._before = time.monotonic(), *self._times()

    def read(self) -> list[float]:
        """See ``Sensor``: 10^6 bytes, seconds, cores."""
        own, busy = self._times()
        now = time.monotonic()
        then, own_before, busy_before = self._before
        self._before = now, own, busy
        taken = max(now - then, 1e-3)
        others = max((busy - busy_before) - (own - own_before), 0.0) / taken
        return [self._resident(), own, others]

    def close(self) -> None:
        """See ``Sensor``."""

    def _resident(self) -> float:
        fields = text_of(self._own / "statm").split()
        if not fields:
            return MISSING
        return int(fields[1]) * _PAGE / 1e6 if len(fields) > 1 and fields[1].isdecimal() else GARBAGE

    def _times(self) -> tuple[float, float]:
        """CPU seconds of the process, and of all; idling and waiting do not count."""
        own = text_of(self._own / "stat").rpartition(")")[2].split()
        line = text_of(self._folder / "stat").partition("\n")[0].split()
        try:
            return (int(own[11]) + int(own[12])) * _TICK_S, sum(map(int, (*line[1:4], *line[6:8]))) * _TICK_S
        except (IndexError, ValueError):
            return MISSING, MISSING


def find(machine: Machine) -> Sensor | None:
    """Return the process that is measured; ``None`` where it is not to be seen."""
    folder = machine.root / "proc"
    return ProcessSensor(folder, machine.process) if (folder / str(machine.process) / "statm").is_file() else None
