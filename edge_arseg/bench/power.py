"""Energy of the machine over a stretch of time, where a sensor answers.

Read from the kernel: the power monitors of Jetson boards, by label, and RAPL on x86. Which rails make a board's total
is declared in ``targets/*.toml``: ``VDD_IN`` (Nano and NX modules) and ``VIN`` (Thor) are the whole module; the AGX
boards have no such rail and their total is a sum, on AGX Orin the one that ``tegrastats`` prints.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge_arseg.bench import sensors
from edge_arseg.bench.sensors.base import Sensor
from edge_arseg.spec.targets.files import targets
from edge_arseg.spec.targets.target import Rails


@dataclass
class Energy:
    """What was measured.

    Attributes:
        source: which sensor, and which rails make the total; or why there is none.
        joules: energy over the time, ``None`` where it was not measured.
        seconds: length of the time.
        samples: readings taken.
        rails: joules by rail or counter, of the sensor that was used.
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
    found = [sensor for find in sensors.SENSORS if (sensor := find(root, boards)) is not None]
    sensor = next((sensor for sensor in found if sensor.total), None)
    if sensor is None:
        labels = ", ".join(sorted(name for other in found for name in other.read())) or "no sensor"
        energy = Energy(f"not measured: {labels}; neither a known total rail in hwmon nor readable RAPL counters")
        start = time.perf_counter()
        yield energy
        energy.seconds = time.perf_counter() - start
        return
    energy = Energy(sensor.source)
    reading = _Reading(sensor)
    start = time.perf_counter()
    try:
        yield energy
    finally:
        energy.seconds = time.perf_counter() - start
        energy.rails, energy.samples = reading.finish()
        energy.joules = sum(energy.rails[name] for name in sensor.total)


def board_rails() -> tuple[Rails, ...]:
    """Return the rails of every board that is declared.

    Raises:
        TargetError: a file in ``targets/`` has faults.
    """
    return tuple(target.rails for target in targets().values() if target.rails)


class _Reading:
    """A sensor that is read from now on, as often as it has to be."""

    def __init__(self, sensor: Sensor) -> None:
        self._sensor, self._stop_now = sensor, threading.Event()
        self._before, self._count = sensor.read(), 1
        self._thread = threading.Thread(target=self._read, args=(sensor.interval_s,), daemon=True)
        self._thread.start()

    def finish(self) -> tuple[dict[str, float], int]:
        """Stop; return joules by name and the number of readings."""
        self._stop_now.set()
        self._thread.join()
        after = self._sensor.read()
        return {name: joules - self._before.get(name, 0.0) for name, joules in after.items()}, self._count + 1

    def _read(self, interval_s: float | None) -> None:
        while not self._stop_now.wait(interval_s) and interval_s is not None:
            self._sensor.read()
            self._count += 1
