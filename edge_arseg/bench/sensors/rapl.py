"""RAPL: energy counters of x86 processor packages."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from edge_arseg.bench.sensors.base import Sensor, number_of, text_of
from edge_arseg.spec.targets.target import Rails


def find(root: Path, boards: Iterable[Rails]) -> Sensor | None:
    """Return the counters of this machine; ``None`` where none can be read.

    Args:
        root: of the file system that ``/sys`` is read from.
        _boards: no board has them.
    """
    counters = rapl_counters(root)
    return RaplSensor(counters) if counters else None


class RaplSensor:
    """A ``Sensor`` of counters that wrap.

    Args:
        counters: files of microjoules by name.
    """

    interval_s: float | None = None

    def __init__(self, counters: Mapping[str, Path]) -> None:
        self.total = tuple(counters)
        self.source = f"RAPL, {' + '.join(counters)} (the processor packages, not the board)"
        self._counters = counters
        self._joules = dict.fromkeys(counters, 0.0)
        self._last = {name: _microjoules(path) for name, path in counters.items()}

    def read(self) -> dict[str, float]:
        """See ``Sensor``."""
        for name, path in self._counters.items():
            now = _microjoules(path)
            self._joules[name] += ((now - self._last[name]) % _range(path)) / 1e6
            self._last[name] = now
        return dict(self._joules)


def rapl_counters(root: Path) -> dict[str, Path]:
    """Return the readable energy counters of the processor packages, by name."""
    found = {}
    for path in sorted(root.glob("sys/class/powercap/intel-rapl:*/energy_uj")):
        name = text_of(path.parent / "name")
        if name.startswith("package") and number_of(path) is not None:
            found[name] = path
    return found


def _range(path: Path) -> int:
    return number_of(path.parent / "max_energy_range_uj") or 2**62


def _microjoules(path: Path) -> int:
    return number_of(path) or 0
