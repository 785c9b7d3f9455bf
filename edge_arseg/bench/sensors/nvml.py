"""NVIDIA GPUs by NVML: energy or power, temperature, clock, throttling, memory.

``nvidia-ml-py`` is optional. That NVML opens is no proof of a sensor: on Orin boards every query answers "not
supported", so each one is asked once and those that answer with a number are channels.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.sensors.base import MISSING, Machine, Sensor

HARMLESS = 0x1 | 0x2 | 0x100
"""Reasons for a lower clock that are nobody's fault: idle, the clock that was asked for, the clock of a display."""


class NvmlSensor:
    """A ``Sensor`` of the queries that answered.

    Args:
        queries: by channel; they raise where there is no answer.
        library: to let go of.
    """

    interval_s = 0.1  # NVML's own values change about as often

    def __init__(self, queries: dict[Channel, Callable[[], float]], library: ModuleType) -> None:
        total = [channel.name.removeprefix("NVML ") for channel in queries if channel.total]
        self.source = f"NVML, total {' + '.join(total)} (the GPU, not the machine)" if total else "NVML, no total"
        self.channels = tuple(queries)
        self._queries, self._library = tuple(queries.values()), library
        self._open = True

    def read(self) -> list[float]:
        """See ``Sensor``."""
        return [self._value(query) for query in self._queries]

    def close(self) -> None:
        """See ``Sensor``."""
        if self._open:
            self._open = False
            self._library.nvmlShutdown()

    def _value(self, query: Callable[[], float]) -> float:
        try:
            return query()
        except self._library.NVMLError:
            return MISSING


def find(machine: Machine) -> Sensor | None:
    """Return the GPUs of this machine; ``None`` where there are none, or the files of another one are read."""
    if machine.root != Path("/"):
        return None
    try:
        import pynvml
    except ImportError:
        return None
    return nvml_sensor(pynvml)


def nvml_sensor(library: Any) -> Sensor | None:
    """Return what the GPUs answer to; ``None`` where that is nothing.

    Args:
        library: ``pynvml``.
    """
    try:
        library.nvmlInit()
    except library.NVMLError:
        return None
    queries: dict[Channel, Callable[[], float]] = {}
    for number, handle in _handles(library).items():
        counted = False
        for channel, query in _queries(library, handle, f"NVML gpu{number}"):
            if channel.total and counted:
                continue  # counted energy goes before power, which is a mean over the last second
            try:
                query()
            except library.NVMLError:
                continue
            counted |= channel.total
            queries[channel] = query
    if queries:
        return NvmlSensor(queries, library)
    library.nvmlShutdown()
    return None


def _handles(nvml: Any) -> dict[int, Any]:
    """The GPUs that may be asked, by number: one that is lost, or another user's, has no handle."""
    found = {}
    with suppress(nvml.NVMLError):
        for number in range(nvml.nvmlDeviceGetCount()):
            with suppress(nvml.NVMLError):
                found[number] = nvml.nvmlDeviceGetHandleByIndex(number)
    return found


def _queries(nvml: Any, handle: Any, name: str) -> list[tuple[Channel, Callable[[], float]]]:
    return [
        (
            Channel(f"{name} energy", "energy", total=True),
            lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3,
        ),
        (Channel(f"{name} power", "power", total=True), lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1e3),
        (Channel(f"{name} temperature", "temperature"), lambda: float(nvml.nvmlDeviceGetTemperature(handle, 0))),
        (Channel(f"{name} clock", "clock"), lambda: float(nvml.nvmlDeviceGetClockInfo(handle, 1))),
        (
            Channel(f"{name} throttling", "throttling"),
            lambda: float(bool(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle) & ~HARMLESS)),
        ),
        (Channel(f"{name} memory", "device memory"), lambda: nvml.nvmlDeviceGetMemoryInfo(handle).used / 1e6),
    ]
