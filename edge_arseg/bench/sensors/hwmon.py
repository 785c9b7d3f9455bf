"""Power monitors in hwmon, by label: INA3221 on Jetson boards from JetPack 5 on, and INA238 on Thor.

INA3221 has voltage and current of each channel; INA238 measures one rail and its power.
"""

from collections.abc import Mapping
from pathlib import Path

from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.sensors.base import Machine, Sensor, number_of, text_of, total_of, value_of

INTERVAL_S = 0.04
"""The chip converts all its channels about 150 times a second."""

Files = tuple[Path, ...]
"""Voltage (mV) and current (mA); or power (microwatts) alone."""


class RailSensor:
    """A ``Sensor`` of the power of rails.

    Args:
        where: the kernel's interface.
        files: by rail.
        total: rails that make the board's total; empty where that is not known.
    """

    interval_s = INTERVAL_S

    def __init__(self, where: str, files: Mapping[str, Files], total: tuple[str, ...]) -> None:
        told = f"total {' + '.join(total)}" if total else f"no board is known whose total is among {', '.join(files)}"
        self.source = f"{where}, {told}"
        self.channels = tuple(Channel(f"{where} {rail}", "power", rail in total) for rail in files)
        self._files = tuple(files.values())

    def read(self) -> list[float]:
        """See ``Sensor``; watts."""
        return [
            value_of(files[0], 1e-6) if len(files) == 1 else value_of(files[0], 1e-3) * value_of(files[1], 1e-3)
            for files in self._files
        ]

    def close(self) -> None:
        """See ``Sensor``."""


def find(machine: Machine) -> Sensor | None:
    """Return the monitors of this machine; ``None`` where there are none."""
    rails = hwmon_rails(machine)
    return RailSensor("hwmon", rails, total_of(rails, machine.boards)) if rails else None


def hwmon_rails(machine: Machine) -> dict[str, Files]:
    """Return the files of every labelled rail of a power monitor."""
    drivers = {rails.driver for rails in machine.boards}
    found: dict[str, Files] = {}
    for name in sorted(machine.root.glob("sys/class/hwmon/hwmon*/name")):
        if text_of(name) not in drivers:
            continue
        for label in sorted(name.parent.glob("in*_label")):
            number = label.name[2:].removesuffix("_label")
            power = (name.parent / f"power{number}_input",)
            pair = name.parent / f"in{number}_input", name.parent / f"curr{number}_input"
            files = power if number_of(power[0]) is not None else pair
            if all(number_of(file) is not None for file in files):
                found[text_of(label)] = files
        # A chip of one rail may have its label as a whole.
        whole, power = text_of(name.parent / "label"), (name.parent / "power1_input",)
        if whole and whole not in found and number_of(power[0]) is not None:
            found[whole] = power
    return {rail: files for rail, files in found.items() if rail != "NC"}
