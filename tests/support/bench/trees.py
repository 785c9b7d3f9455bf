"""Files of a machine's sensors, as the kernel shows them."""

import os

from edge_arseg.bench.sampling.sampling import board_rails
from edge_arseg.bench.sensors.base import Machine


def machine(root):
    """The machine whose files are in a folder; this process is measured."""
    return Machine(root, board_rails(), os.getpid())


def hwmon(root, chip, rails, number=3):
    """A monitor with a voltage (mV) and a current (mA) for each label."""
    folder = root / f"sys/class/hwmon/hwmon{number}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{chip}\n")
    for i, (label, (millivolts, milliamperes)) in enumerate(rails.items(), 1):
        (folder / f"in{i}_label").write_text(f"{label}\n")
        (folder / f"in{i}_input").write_text(f"{millivolts}\n")
        (folder / f"curr{i}_input").write_text(f"{milliamperes}\n")
    (folder / "in7_label").write_text("sum of shunt voltages\n")
    (folder / "in7_input").write_text("5\n")
    return folder


def ina238(root, label, microwatts, number):
    """A chip of one rail, whose label is its own and which measures power."""
    folder = root / f"sys/class/hwmon/hwmon{number}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text("ina238\n")
    (folder / "label").write_text(f"{label}\n")
    (folder / "power1_input").write_text(f"{microwatts}\n")


def iio(root, driver, rails):
    """A monitor of JetPack 4."""
    folder = root / f"sys/bus/i2c/drivers/{driver}/6-0040/iio:device0"
    folder.mkdir(parents=True)
    for i, (label, (millivolts, milliamperes)) in enumerate(rails.items()):
        (folder / f"rail_name_{i}").write_text(f"{label}\n")
        (folder / f"in_voltage{i}_input").write_text(f"{millivolts}\n")
        (folder / f"in_current{i}_input").write_text(f"{milliamperes}\n")


def rapl(root, microjoules):
    """A counter that wraps at 1000 J."""
    folder = root / "sys/class/powercap/intel-rapl:0"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text("package-0\n")
    (folder / "max_energy_range_uj").write_text("1000000000\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
