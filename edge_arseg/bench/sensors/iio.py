"""Power monitors in industrial I/O, where the kernel of JetPack 4 has them."""

from edge_arseg.bench.sensors.base import Machine, Sensor, number_of, text_of, total_of
from edge_arseg.bench.sensors.hwmon import Files, RailSensor


def find(machine: Machine) -> Sensor | None:
    """Return the monitors of this machine; ``None`` where there are none."""
    rails = iio_rails(machine)
    return RailSensor("IIO", rails, total_of(rails, machine.boards)) if rails else None


def iio_rails(machine: Machine) -> dict[str, Files]:
    """Return the voltage (mV) and current (mA) file of every named rail of a power monitor."""
    found: dict[str, Files] = {}
    for driver in sorted({rails.driver for rails in machine.boards}):
        for label in sorted(machine.root.glob(f"sys/bus/i2c/drivers/{driver}/*/iio:device*/rail_name_*")):
            number = label.name.removeprefix("rail_name_")
            files = label.parent / f"in_voltage{number}_input", label.parent / f"in_current{number}_input"
            if all(number_of(file) is not None for file in files):
                found[text_of(label)] = files
    return found
