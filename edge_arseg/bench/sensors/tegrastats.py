"""Lines of ``tegrastats``, of every generation: what a Jetson says where its files are hidden, as in a container."""

import re
import subprocess
import threading
import time
from pathlib import Path

from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.sensors.base import MISSING, Machine, Sensor, total_of
from edge_arseg.bench.sensors.hwmon import hwmon_rails
from edge_arseg.bench.sensors.iio import iio_rails

INTERVAL_MS = 100
STALE_S = 1.0
"""Age in seconds from which a line is too old to describe the present."""

_RAIL = re.compile(r"\b([A-Z][A-Z0-9_]*) (-?\d+)(?:mW)?/-?\d+(?:mW)?(?:/-?\d+(?:mW)?)?(?!\S)")
_HEAT = re.compile(r"\b([A-Za-z][A-Za-z0-9_]*)@(-?[\d.]+)C")
_GPU = re.compile(r"GR3D_FREQ (?:\d+%)?@\[?(\d+)")
_CPU = re.compile(r"CPU \[([^\]]*)\]")
_CORE = re.compile(r"@(\d+)")
_NO_RAIL = ("RAM", "SWAP", "IRAM", "LFB")
_NO_HEAT = ("PMIC",)  # a constant of 50 or 100 degrees


def values_of_line(line: str) -> dict[tuple[str, str], float]:
    """Return what a line says.

    Args:
        line: with two or three values a rail, with or without ``mW``.

    Returns:
        Values by quantity and name: ``power`` W, ``temperature`` degrees Celsius, ``clock`` MHz.
    """
    found: dict[tuple[str, str], float] = {}
    for name, milliwatts in _RAIL.findall(line):
        if name not in _NO_RAIL:
            found["power", name] = int(milliwatts) / 1e3
    for name, degrees in _HEAT.findall(line):
        if name not in _NO_HEAT and float(degrees) > -200:  # -256: the zone is switched off
            found["temperature", name] = float(degrees)
    if gpu := _GPU.search(line):
        found["clock", "GPU"] = float(gpu[1])
    if (cpu := _CPU.search(line)) and (cores := [int(mhz) for mhz in _CORE.findall(cpu[1])]):
        found["clock", "CPU"] = sum(cores) / len(cores)
    return found


class TegrastatsSensor:
    """A ``Sensor`` of a running ``tegrastats``.

    Args:
        command: that prints lines.
        machine: says which rails make the total.

    Raises:
        OSError: the command cannot be started, or prints nothing that can be read within two seconds.
    """

    interval_s = INTERVAL_MS / 1e3

    def __init__(self, command: list[str], machine: Machine) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._first = threading.Event()
        self._latest: tuple[float, dict[tuple[str, str], float]] = (0.0, {})
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        if not self._first.wait(2.0):
            self.close()
            raise OSError("tegrastats printed nothing that can be read")
        self._names = tuple(self._latest[1])
        rails = [name for quantity, name in self._names if quantity == "power"]
        total = total_of(rails, machine.boards)
        self.source = f"tegrastats, total {' + '.join(total)}" if total else "tegrastats, no total rail"
        self.channels = tuple(
            Channel(f"tegrastats {name} {quantity}", quantity, quantity == "power" and name in total)
            for quantity, name in self._names
        )

    def read(self) -> list[float]:
        """See ``Sensor``."""
        taken, values = self._latest
        if time.monotonic() - taken > STALE_S:
            values = {}
        return [values.get(name, MISSING) for name in self._names]

    def close(self) -> None:
        """See ``Sensor``."""
        self._process.kill()
        self._process.wait()
        self._thread.join()
        if self._process.stdout:
            self._process.stdout.close()

    def _follow(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if values := values_of_line(line):
                self._latest = time.monotonic(), values
                self._first.set()


def find(machine: Machine) -> Sensor | None:
    """Return ``tegrastats`` where it is there and no rail can be read (this module stands behind theirs)."""
    program = machine.root / "usr/bin/tegrastats"
    if hwmon_rails(machine) or iio_rails(machine) or not Path(program).is_file():
        return None
    try:
        return TegrastatsSensor([str(program), "--interval", str(INTERVAL_MS)], machine)
    except OSError:
        return None
