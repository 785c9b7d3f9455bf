"""The power rails of a board, as its monitors show them: voltage and current, read again and again."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from edge_arseg.bench.sensors.base import number_of
from edge_arseg.spec.targets.target import Rails

INTERVAL_S = 0.05


class RailSensor:
    """A ``Sensor`` that integrates the power of every rail, by trapezoids.

    Args:
        where: the kernel's interface.
        files: of voltage (mV) and current (mA), by rail.
        boards: rails of every board that is declared: they say what makes the total.
    """

    interval_s: float | None = INTERVAL_S

    def __init__(self, where: str, files: Mapping[str, tuple[Path, Path]], boards: Iterable[Rails]) -> None:
        self.total = next((names for names in _totals(boards) if all(name in files for name in names)), ())
        self.source = f"{where}, total {' + '.join(self.total)}"
        self._files = files
        self._joules = dict.fromkeys(files, 0.0)
        self._before, self._last = time.perf_counter(), self._watts()

    def read(self) -> dict[str, float]:
        """See ``Sensor``."""
        now, watts = time.perf_counter(), self._watts()
        for name in watts.keys() & self._last.keys():
            self._joules[name] += 0.5 * (watts[name] + self._last[name]) * (now - self._before)
        self._before, self._last = now, watts
        return dict(self._joules)

    def _watts(self) -> dict[str, float]:
        watts = {}
        for name, (voltage, current) in self._files.items():
            millivolts, milliamperes = number_of(voltage), number_of(current)
            if millivolts is not None and milliamperes is not None:
                watts[name] = millivolts * milliamperes / 1e6
        return watts


def _totals(boards: Iterable[Rails]) -> list[tuple[str, ...]]:
    """Return the sets of rails that make a total: one rail before a sum, so that nothing is counted twice."""
    return sorted({rails.total for rails in boards}, key=lambda names: (len(names), names))
