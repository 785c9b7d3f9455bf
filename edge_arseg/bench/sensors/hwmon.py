"""Power monitors in hwmon, by label: INA3221 on Jetson boards from JetPack 5 on, and INA238 on Thor.

INA3221 has voltage and current of each channel; INA238 measures one rail and its power.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.sensors.base import Machine, Sensor, is_closed, number_of, text_of, total_of, value_of

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


class ClosedRails:
    """A ``Sensor`` that reads nothing and says why: the rails are there, and this user may not read them."""

    channels: tuple[Channel, ...] = ()
    interval_s = 1.0

    def __init__(self, folders: Sequence[Path]) -> None:
        places = " ".join(f"{folder}/*_input" for folder in folders)
        self.source = f"hwmon, rails that root alone may read: sudo chmod a+r {places}"

    def read(self) -> list[float]:
        """See ``Sensor``."""
        return []

    def close(self) -> None:
        """See ``Sensor``."""


def find(machine: Machine) -> Sensor | None:
    """Return the monitors of this machine; ``None`` where there are none."""
    rails = hwmon_rails(machine)
    if rails:
        return RailSensor("hwmon", rails, total_of(rails, machine.boards))
    closed = [chip for chip in _chips(machine) if any(map(is_closed, chip.glob("*_input")))]
    return ClosedRails(closed) if closed else None


def hwmon_rails(machine: Machine) -> dict[str, Files]:
    """Return the files of every labelled rail of a power monitor."""
    found: dict[str, Files] = {}
    for chip in _chips(machine):
        for label in sorted(chip.glob("in*_label")):
            number = label.name[2:].removesuffix("_label")
            power = (chip / f"power{number}_input",)
            pair = chip / f"in{number}_input", chip / f"curr{number}_input"
            files = power if number_of(power[0]) is not None else pair
            if all(number_of(file) is not None for file in files):
                found[text_of(label)] = files
        # A chip of one rail may have its label as a whole.
        whole, power = text_of(chip / "label"), (chip / "power1_input",)
        if whole and whole not in found and number_of(power[0]) is not None:
            found[whole] = power
    return {rail: files for rail, files in found.items() if rail != "NC"}


def _chips(machine: Machine) -> list[Path]:
    """Return the folders of the power monitors."""
    drivers = {rails.driver for rails in machine.boards}
    names = sorted(machine.root.glob("sys/class/hwmon/hwmon*/name"))
    return [name.parent for name in names if text_of(name) in drivers]
