"""RAPL: energy counters of x86 processor packages, which root alone may read."""

import math
from collections.abc import Mapping
from pathlib import Path

from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.sensors.base import Machine, Sensor, number_of, text_of, value_of


class RaplSensor:
    """A ``Sensor`` of counters that wrap.

    Args:
        counters: files of microjoules by name.
    """

    interval_s = 0.05

    def __init__(self, counters: Mapping[str, Path]) -> None:
        self.source = f"RAPL, total {' + '.join(counters)} (the processor packages, not the board)"
        self.channels = tuple(Channel(f"RAPL {name}", "energy", total=True) for name in counters)
        self._files = tuple(counters.values())
        self._ranges = [number_of(path.parent / "max_energy_range_uj") or 2**62 for path in self._files]
        self._joules = [0.0] * len(self._files)
        self._last = [value_of(path) for path in self._files]

    def read(self) -> list[float]:
        """See ``Sensor``; joules since it was found."""
        now = [value_of(path) for path in self._files]
        for i, (value, last) in enumerate(zip(now, self._last, strict=True)):
            if math.isfinite(value):
                if math.isfinite(last):
                    self._joules[i] += ((value - last) % self._ranges[i]) / 1e6
                self._last[i] = value
        return [joules if math.isfinite(value) else value for joules, value in zip(self._joules, now, strict=True)]

    def close(self) -> None:
        """See ``Sensor``."""


def find(machine: Machine) -> Sensor | None:
    """Return the counters of this machine; ``None`` where none can be read."""
    counters = rapl_counters(machine.root)
    return RaplSensor(counters) if counters else None


def rapl_counters(root: Path) -> dict[str, Path]:
    """Return the readable energy counters of the processor packages, by name."""
    found = {}
    for path in sorted(root.glob("sys/class/powercap/intel-rapl:*/energy_uj")):
        name = text_of(path.parent / "name")
        if name.startswith("package") and number_of(path) is not None:
            found[name] = path
    return found
