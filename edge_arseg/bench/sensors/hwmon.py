"""Power monitors in hwmon, by label: Jetson boards from JetPack 5 on."""

from collections.abc import Iterable
from pathlib import Path

from edge_arseg.bench.sensors.base import Sensor, number_of, text_of
from edge_arseg.bench.sensors.rails import RailSensor
from edge_arseg.spec.targets.target import Rails


def find(root: Path, boards: Iterable[Rails]) -> Sensor | None:
    """Return the monitors of this machine; ``None`` where there are none.

    Args:
        root: of the file system that ``/sys`` is read from.
        boards: rails of every board that is declared.
    """
    rails = hwmon_rails(root, boards)
    return RailSensor("hwmon", rails, boards) if rails else None


def hwmon_rails(root: Path, boards: Iterable[Rails]) -> dict[str, tuple[Path, Path]]:
    """Return the voltage (mV) and current (mA) file of every labelled rail of a power monitor."""
    drivers = {rails.driver for rails in boards}
    found = {}
    for name in sorted(root.glob("sys/class/hwmon/hwmon*/name")):
        if text_of(name) not in drivers:
            continue
        for label in sorted(name.parent.glob("in*_label")):
            number = label.name[2:].removesuffix("_label")
            files = name.parent / f"in{number}_input", name.parent / f"curr{number}_input"
            if all(number_of(file) is not None for file in files):
                found[text_of(label)] = files
    return found
