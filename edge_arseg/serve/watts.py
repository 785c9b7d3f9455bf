"""The power that the machine takes, where it measures it."""

import math
import os
import threading
import time
from pathlib import Path

EVERY_S = 1.0


class Watts:
    """Reads the sensors of the machine's total once a second, in a thread; a context manager.

    Attributes:
        now: watts; ``None``: nothing measures them.
        source: the sensor, in words; empty where there is none.
    """

    def __init__(self) -> None:
        self.now: float | None = None
        self.source = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="watts", daemon=True)

    def __enter__(self) -> "Watts":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(EVERY_S)

    def _follow(self) -> None:
        from edge_arseg.bench.sampling.sampler import found_sensors
        from edge_arseg.bench.sampling.sampling import board_rails
        from edge_arseg.bench.sensors.base import Machine
        from edge_arseg.errors import TargetError

        try:
            found = found_sensors(Machine(Path("/"), board_rails(), os.getpid()))
        except TargetError:  # somebody's own file of a board; the page does without
            return
        try:
            sensor = next((one for one in found.sensors if one.source == found.total), None)
            if sensor is None:
                return
            self.source = sensor.source
            totals = [i for i, channel in enumerate(sensor.channels) if channel.total]
            counts_up = sensor.channels[totals[0]].quantity == "energy"
            before, at = math.nan, time.monotonic()
            while not self._ended.wait(max(EVERY_S, sensor.interval_s)):
                values, now = sensor.read(), time.monotonic()
                total = sum(values[i] for i in totals)
                watts = (total - before) / (now - at) if counts_up else total
                before, at = total, now
                self.now = round(watts, 2) if math.isfinite(watts) else None
        finally:
            for one in found.sensors:
                one.close()
