"""Temperatures, and whether heat or power holds the clocks back."""

import math
from pathlib import Path

from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.sensors.base import MISSING, Machine, Sensor, number_of, text_of, value_of

SILENT = ("PMIC-Die",)  # a constant
BRAKES = ("processor", "cpufreq", "devfreq", "throttle", "thermal-cpu", "thermal-gpu", "balanced")
"""Parts of the names of cooling devices that slow something down; fans and lights are others."""


class HeatSensor:
    """A ``Sensor`` of thermal zones, cooling devices that are brakes, and counters of events.

    Args:
        zones: files of millidegrees by name.
        brakes: files whose number is above 0 while something is held back.
        counters: files of events that only grow.
    """

    interval_s = 0.5

    def __init__(self, zones: dict[str, Path], brakes: list[Path], counters: list[Path]) -> None:
        self.source = f"temperature of {', '.join(zones) or 'nothing'}"
        self._zones, self._brakes, self._counters = tuple(zones.values()), brakes, counters
        self._last: list[float] = [value_of(path) for path in counters]
        self._throttles = bool(brakes or counters)
        self.channels = tuple(Channel(f"{name} temperature", "temperature") for name in zones)
        if self._throttles:
            self.channels += (Channel("throttling", "throttling"),)

    def read(self) -> list[float]:
        """See ``Sensor``."""
        values = [value_of(path, 1e-3) for path in self._zones]
        return [*values, self._throttling()] if self._throttles else values

    def close(self) -> None:
        """See ``Sensor``."""

    def _throttling(self) -> float:
        states = [value_of(path) for path in self._brakes]
        now = [value_of(path) for path in self._counters]
        grown = [after > before for after, before in zip(now, self._last, strict=True) if math.isfinite(after)]
        self._last = [new if math.isfinite(new) else old for new, old in zip(now, self._last, strict=True)]
        if not any(map(math.isfinite, (*states, *now))):
            return MISSING
        return float(any(grown) or any(state > 0 for state in states if math.isfinite(state)))


def find(machine: Machine) -> Sensor | None:
    """Return what this machine reports of its heat; ``None`` where it reports none."""
    sys = machine.root / "sys"
    zones: dict[str, Path] = {}
    for zone in sorted(sys.glob("class/thermal/thermal_zone*")):
        name = text_of(zone / "type")
        if name and name not in SILENT and number_of(zone / "temp") is not None:
            zones[name if name not in zones else f"{name} {zone.name}"] = zone / "temp"
    for chip in sorted(sys.glob("class/hwmon/hwmon*")):
        if (
            text_of(chip / "name") in ("coretemp", "k10temp", "zenpower")
            and number_of(chip / "temp1_input") is not None
        ):
            zones.setdefault(text_of(chip / "name"), chip / "temp1_input")
    brakes = [
        device / "cur_state"
        for device in sorted(sys.glob("class/thermal/cooling_device*"))
        if any(part in text_of(device / "type").lower() for part in BRAKES)
        and number_of(device / "cur_state") is not None
    ]
    counters = [
        path
        for pattern in (
            "devices/system/cpu/cpu*/thermal_throttle/core_throttle_count",
            "devices/system/cpu/cpu*/thermal_throttle/core_power_limit_count",
            "class/hwmon/hwmon*/oc*_event_cnt",
        )
        for path in sorted(sys.glob(pattern))
        if number_of(path) is not None
    ]
    return HeatSensor(zones, brakes, counters) if zones or brakes or counters else None
