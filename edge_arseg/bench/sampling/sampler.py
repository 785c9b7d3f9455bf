"""The process that reads sensors: ``python -m edge_arseg.bench.sampling.sampler``, started by ``Sampling``.

It is told by one line of JSON where to look, appends what it reads to a journal, and ends when its input does: so it
ends with the process that started it, however that ends.
"""

import json
import select
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from edge_arseg.bench import sensors
from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.records.journal import Journal
from edge_arseg.bench.records.samples import READING_DTYPE
from edge_arseg.bench.sensors.base import GARBAGE, BoardRails, Machine, Sensor
from edge_arseg.errors import ArsegError

FLUSH_S = 0.5

LIMITS = {
    "power": (-2.0, 3000.0),  # a rail that takes nothing reads some tenths of a watt on either side of 0
    "energy": (0.0, 1e12),
    "temperature": (-60.0, 200.0),
    "clock": (0.0, 10_000.0),
    "throttling": (0.0, 1.0),
    "memory": (0.0, 1e9),
    "device memory": (0.0, 1e9),
}
"""Smallest and largest value that can be, by quantity."""


@dataclass(frozen=True, slots=True)
class Found:
    """The sensors of a machine.

    Attributes:
        sensors: that answered.
        channels: of all of them, in order; the total is that of one sensor.
        total: what makes it, in words; ``None``: no sensor has one.
        seen: what every sensor says it reads.
    """

    sensors: tuple[Sensor, ...]
    channels: tuple[Channel, ...]
    total: str | None
    seen: tuple[str, ...]


def found_sensors(machine: Machine) -> Found:
    """Look for every sensor of ``SENSORS``; the first with a total keeps it."""
    answered = tuple(sensor for find in sensors.SENSORS if (sensor := find(machine)) is not None)
    best = next((sensor for sensor in answered if any(channel.total for channel in sensor.channels)), None)
    channels = tuple(
        replace(channel, total=channel.total and sensor is best) for sensor in answered for channel in sensor.channels
    )
    return Found(answered, channels, best.source if best else None, tuple(sensor.source for sensor in answered))


def read_until(found: Found, journal: Journal, *, zero: float, ended: Callable[[float], bool]) -> None:
    """Read every sensor at its pace.

    Args:
        found: what is read.
        journal: where readings go, every half second.
        zero: ``time.monotonic()`` when the record's clock was at 0.
        ended: waits so many seconds, or less; whether it is time to stop.
    """
    now = time.monotonic()
    due = [now] * len(found.sensors)
    first = np.cumsum([0, *(len(sensor.channels) for sensor in found.sensors)])
    rows: list[tuple[float, int, float]] = []
    flushed = now
    stop = not found.sensors
    while not stop:
        stop = ended(max(min(due) - time.monotonic(), 0.0))
        for i, sensor in enumerate(found.sensors):
            if stop or time.monotonic() >= due[i]:
                rows += _readings(sensor, found.channels, int(first[i]), zero)
                due[i] = max(due[i] + sensor.interval_s, time.monotonic())
        if rows and (stop or time.monotonic() - flushed >= FLUSH_S):
            journal.add(np.array(rows, READING_DTYPE))
            rows, flushed = [], time.monotonic()


def _readings(sensor: Sensor, channels: Sequence[Channel], first: int, zero: float) -> list[tuple[float, int, float]]:
    before = time.monotonic()
    values = sensor.read()
    moment = 0.5 * (before + time.monotonic()) - zero
    return [(moment, first + i, _possible(value, channels[first + i])) for i, value in enumerate(values)]


def _possible(value: float, channel: Channel) -> float:
    low, high = LIMITS.get(channel.quantity, (-GARBAGE, GARBAGE))
    return GARBAGE if value < low or value > high else value


def main() -> None:
    """Read what is asked for until the input ends."""
    asked = json.loads(sys.stdin.readline())
    boards = tuple(BoardRails(entry["driver"], tuple(entry["total"])) for entry in asked["boards"])
    found = found_sensors(Machine(Path(asked["root"]), boards, asked["process"]))
    with ExitStack() as stack:
        for sensor in found.sensors:
            stack.callback(sensor.close)
        journal = stack.enter_context(Journal(Path(asked["journal"])))
        told = {"channels": [asdict(channel) for channel in found.channels], "total": found.total, "seen": found.seen}
        journal.say(**told)
        print(json.dumps(told), flush=True)

        def ended(seconds: float) -> bool:
            return bool(select.select([sys.stdin], [], [], seconds)[0])

        if found.sensors:
            read_until(found, journal, zero=asked["zero"], ended=ended)
        else:
            sys.stdin.read()


if __name__ == "__main__":
    try:
        main()
    except ArsegError as error:  # whoever started it says so, and ends with it
        print(json.dumps({"fault": str(error)}), flush=True)
        sys.exit(error.exit_code)
