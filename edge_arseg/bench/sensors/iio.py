"""Power monitors in industrial I/O, where the kernel of JetPack 4 has them."""

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
    rails = iio_rails(root, boards)
    return RailSensor("IIO", rails, boards) if rails else None


def iio_rails(root: Path, boards: Iterable[Rails]) -> dict[str, tuple[Path, Path]]:
    """Return the voltage (mV) and current (mA) file of every named rail of a power monitor."""
    found = {}
    for driver in sorted({rails.driver for rails in boards}):
        for label in sorted(root.glob(f"sys/bus/i2c/drivers/{driver}/*/iio:device*/rail_name_*")):
            number = label.name.removeprefix("rail_name_")
            files = label.parent / f"in_voltage{number}_input", label.parent / f"in_current{number}_input"
            if all(number_of(file) is not None for file in files):
                found[text_of(label)] = files
    return found
