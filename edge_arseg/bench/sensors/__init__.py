"""Sensors: a module each, with ``find``, and an entry here. The first with a total gives the energy of a record."""

from collections.abc import Callable

from edge_arseg.bench.sensors import clocks, heat, hwmon, iio, nvml, process, rapl, tegrastats
from edge_arseg.bench.sensors.base import Machine, Sensor

SENSORS: tuple[Callable[[Machine], Sensor | None], ...] = (
    hwmon.find,
    iio.find,
    tegrastats.find,
    nvml.find,
    rapl.find,
    heat.find,
    clocks.find,
    process.find,
)
