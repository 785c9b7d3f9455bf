"""Sensors of energy, the best one first: a module each, with ``find``, and an entry here."""

from collections.abc import Callable
from pathlib import Path

from edge_arseg.bench.sensors import hwmon, iio, rapl
from edge_arseg.bench.sensors.base import Sensor
from edge_arseg.spec.targets.target import Rails

SENSORS: tuple[Callable[[Path, tuple[Rails, ...]], Sensor | None], ...] = (hwmon.find, iio.find, rapl.find)
