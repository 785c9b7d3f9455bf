"""Energy of the machine over a stretch of time, where a sensor answers.

Read from the kernel: the power monitors of Jetson boards, by label, and RAPL on x86. Which rails make a board's total
is declared in ``targets/*.toml``: ``VDD_IN`` (Nano and NX modules) and ``VIN`` (Thor) are the whole module; the AGX
boards have no such rail and their total is a sum, on AGX Orin the one that ``tegrastats`` prints.
"""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge_arseg.spec.targets.files import targets
from edge_arseg.spec.targets.target import Rails

INTERVAL_S = 0.05
_NUMBER = re.compile(r"-?[0-9]{1,20}")


@dataclass
class Energy:
    """What was measured.

    Attributes:
        source: which sensor, and which rails make the total; or why there is none.
        joules: energy over the time, ``None`` where it was not measured.
        seconds: length of the time.
        samples: readings taken.
    """

    source: str
    joules: float | None = None
    seconds: float = 0.0
    samples: int = 0
    rails: dict[str, float] = field(default_factory=dict)

    @property
    def watts(self) -> float | None:
        """Mean power, or ``None`` where it was not measured."""
        return None if self.joules is None or self.seconds <= 0 else self.joules / self.seconds


@contextmanager
def measured_energy(root: Path = Path("/")) -> Iterator[Energy]:
    """Measure the energy of what runs inside; the result is filled in at the end.

    Args:
        root: of the file system that ``/sys`` is read from.
    """
    boards = board_rails()
    rails, where = hwmon_rails(root, boards), "hwmon"
    if not rails:
        rails, where = iio_rails(root, boards), "IIO"
    counters = rapl_counters(root)
    total = next((names for names in _totals(boards) if all(name in rails for name in names)), None)
    start = time.perf_counter()
    if total is not None:
        energy = Energy(f"{where}, total {' + '.join(total)}")
        sampler = _Sampler(rails)
        sampler.start()
        yield energy
        energy.seconds = time.perf_counter() - start
        energy.rails, energy.samples = sampler.finish()
        energy.joules = sum(energy.rails[name] for name in total) if energy.samples else None
    elif counters:
        energy = Energy(f"RAPL, {' + '.join(counters)} (the processor packages, not the board)")
        before = {name: _microjoules(path) for name, path in counters.items()}
        yield energy
        energy.seconds = time.perf_counter() - start
        energy.rails = {
            name: ((_microjoules(path) - before[name]) % _range(path)) / 1e6 for name, path in counters.items()
        }
        energy.samples = 2
        energy.joules = sum(energy.rails.values())
    else:
        labels = ", ".join(sorted(rails)) or "no sensor"
        energy = Energy(f"not measured: {labels}; neither a known total rail in hwmon nor readable RAPL counters")
        yield energy
        energy.seconds = time.perf_counter() - start


def board_rails() -> tuple[Rails, ...]:
    """Return the rails of every board that is declared.

    Raises:
        TargetError: a file in ``targets/`` has faults.
    """
    return tuple(target.rails for target in targets().values() if target.rails)


def hwmon_rails(root: Path = Path("/"), boards: tuple[Rails, ...] | None = None) -> dict[str, tuple[Path, Path]]:
    """Return the voltage (mV) and current (mA) file of every labelled rail of a power monitor.

    Args:
        root: of the file system that ``/sys`` is read from.
        boards: whose monitors count; all that are declared where it is left out.
    """
    drivers = {rails.driver for rails in boards or board_rails()}
    found = {}
    for name in sorted(root.glob("sys/class/hwmon/hwmon*/name")):
        if _text(name) not in drivers:
            continue
        for label in sorted(name.parent.glob("in*_label")):
            number = label.name[2:].removesuffix("_label")
            files = name.parent / f"in{number}_input", name.parent / f"curr{number}_input"
            if all(_number(file) is not None for file in files):
                found[_text(label)] = files
    return found


def iio_rails(root: Path = Path("/"), boards: tuple[Rails, ...] | None = None) -> dict[str, tuple[Path, Path]]:
    """Return the same from industrial I/O, where the kernel of JetPack 4 has the monitors."""
    found = {}
    for driver in sorted({rails.driver for rails in boards or board_rails()}):
        for label in sorted(root.glob(f"sys/bus/i2c/drivers/{driver}/*/iio:device*/rail_name_*")):
            number = label.name.removeprefix("rail_name_")
            files = label.parent / f"in_voltage{number}_input", label.parent / f"in_current{number}_input"
            if all(_number(file) is not None for file in files):
                found[_text(label)] = files
    return found


def rapl_counters(root: Path = Path("/")) -> dict[str, Path]:
    """Return the readable energy counters of the processor packages, by name."""
    found = {}
    for path in sorted(root.glob("sys/class/powercap/intel-rapl:*/energy_uj")):
        name = _text(path.parent / "name")
        if name.startswith("package") and _number(path) is not None:
            found[name] = path
    return found


class _Sampler(threading.Thread):
    """Reads voltage and current of every rail, and integrates their product."""

    def __init__(self, rails: dict[str, tuple[Path, Path]]):
        super().__init__(daemon=True)
        self._rails, self._stop_now = rails, threading.Event()
        self._joules = dict.fromkeys(rails, 0.0)
        self._count = 0

    def run(self) -> None:
        before, last = time.perf_counter(), self._watts()
        while not self._stop_now.is_set():
            self._stop_now.wait(INTERVAL_S)
            now, watts = time.perf_counter(), self._watts()
            for name in watts.keys() & last.keys():
                self._joules[name] += 0.5 * (watts[name] + last[name]) * (now - before)
            before, last = now, watts
            self._count += 1

    def finish(self) -> tuple[dict[str, float], int]:
        """Stop; return joules by rail and the number of readings."""
        self._stop_now.set()
        self.join()
        return self._joules, self._count

    def _watts(self) -> dict[str, float]:
        watts = {}
        for name, (voltage, current) in self._rails.items():
            millivolts, milliamperes = _number(voltage), _number(current)
            if millivolts is not None and milliamperes is not None:
                watts[name] = millivolts * milliamperes / 1e6
        return watts


def _totals(boards: tuple[Rails, ...]) -> list[tuple[str, ...]]:
    """Return the sets of rails that make a total: one rail before a sum, so that nothing is counted twice."""
    return sorted({rails.total for rails in boards}, key=lambda names: (len(names), names))


def _range(path: Path) -> int:
    return _number(path.parent / "max_energy_range_uj") or 2**62


def _microjoules(path: Path) -> int:
    return _number(path) or 0


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if _NUMBER.fullmatch(text) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
