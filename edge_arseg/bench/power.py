"""Energy of the machine over a stretch of time, where a sensor answers.

Read from the kernel: the INA3221 and INA238 monitors of Jetson boards through hwmon, by label, and RAPL on x86. Rails
and totals are those of the boards' device trees: ``VDD_IN`` (Nano and NX modules) and ``VIN`` (Thor) are the whole
module; the AGX boards have no such rail and their total is the sum of the first three, which is what ``tegrastats``
prints.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

MONITORS = ("ina3221", "ina238")
TOTALS: tuple[tuple[str, ...], ...] = (
    ("VDD_IN",),
    ("VIN",),
    ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"),
)
"""Rails that make the total, the first set that is there."""

INTERVAL_S = 0.05


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
    rails = hwmon_rails(root)
    counters = rapl_counters(root)
    total = next((names for names in TOTALS if all(name in rails for name in names)), None)
    start = time.perf_counter()
    if total is not None:
        energy = Energy(f"hwmon, total {' + '.join(total)}")
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


def hwmon_rails(root: Path = Path("/")) -> dict[str, tuple[Path, Path]]:
    """Return the voltage (mV) and current (mA) file of every labelled rail of a power monitor."""
    rails = {}
    for name in sorted(root.glob("sys/class/hwmon/hwmon*/name")):
        if _text(name) not in MONITORS:
            continue
        for label in sorted(name.parent.glob("in*_label")):
            number = label.name[2:].removesuffix("_label")
            files = name.parent / f"in{number}_input", name.parent / f"curr{number}_input"
            if all(_number(file) is not None for file in files):
                rails[_text(label)] = files
    return rails


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


def _range(path: Path) -> int:
    return _number(path.parent / "max_energy_range_uj") or 2**62


def _microjoules(path: Path) -> int:
    return _number(path) or 0


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.lstrip("-").isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
