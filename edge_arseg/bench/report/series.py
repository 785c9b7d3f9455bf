"""Samples made small enough to draw, without hiding the extremes: histograms and timelines."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.samples import BRANCHES, Samples
from edge_arseg.bench.report.content import Histogram, Series, Timeline

BINS = 60
POINTS = 400
"""Points of one series that are drawn at most."""

UNITS = {
    "power": "W",
    "temperature": "°C",
    "clock": "MHz",
    "throttling": "",
    "load": "cores",
    "memory": "MB",
    "device memory": "MB",
}
"""Quantities of channels that are drawn over time, in this order; counters are not."""


def histograms_of(record: BenchRecord, samples: Samples) -> Iterator[Histogram]:
    """Yield the frame times of each branch of each run; bins of one run are equally wide, so that the humps compare."""
    for index, run in enumerate(record.runs):
        whole = samples.of_run(index)["total_ms"]
        if not len(whole):
            continue
        width = _round_width((float(np.quantile(whole, 0.999)) - float(whole.min())) / BINS)
        for branch in BRANCHES:
            ms = samples.of_run(index, branch)["total_ms"]
            if not len(ms):
                continue
            first = np.floor(ms.min() / width)
            last = min(np.floor(ms.max() / width), first + 4 * BINS)  # what lies beyond is counted in the last bin
            places = np.minimum(np.floor(ms / width), last) - first
            counts = np.bincount(places.astype(int), minlength=int(last - first) + 1)
            frame = run.latency[branch].frame if branch in run.latency else None
            p50 = frame.p50.value if frame and frame.p50 else None
            p99 = frame.p99.value if frame and frame.p99 else None
            whole_numbers = tuple(int(count) for count in counts)
            yield Histogram(record.name, run.name, branch, float(first * width), width, whole_numbers, p50, p99)


def timelines_of(record: BenchRecord, samples: Samples) -> Iterator[Timeline]:
    """Yield latency, then what sensors read, a panel for each quantity; a channel that gave nothing is not drawn."""
    latency, thinned = [], False
    for index, run in enumerate(record.runs):
        for branch in BRANCHES:
            frames = samples.of_run(index, branch)
            if len(frames):
                series, cut = _thin(f"{run.name}, {branch.upper()}", frames["start_s"], frames["total_ms"])
                latency.append(series)
                thinned |= cut
    if latency:
        yield Timeline(record.name, "latency", "ms", tuple(latency), thinned)
    for quantity, unit in UNITS.items():
        panel, thinned = [], False
        for index, channel in enumerate(record.channels):
            seconds, values = samples.of_channel(index)
            if channel.quantity == quantity and np.isfinite(values).any():
                series, cut = _thin(channel.name, seconds, values)
                panel.append(series)
                thinned |= cut
        if panel:
            yield Timeline(record.name, quantity, unit, tuple(panel), thinned)


def _thin(name: str, seconds: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[Series, bool]:
    """Return a series of at most ``POINTS``: of each stretch the smallest and the largest value, in order; and whether
    any was left out. A gap stays a gap."""
    order = np.argsort(seconds, kind="stable")
    seconds, values = seconds[order], values[order]
    keep: list[int] = list(range(len(values)))
    if len(values) > POINTS:
        keep = []
        for part in np.array_split(np.arange(len(values)), POINTS // 2):
            own = values[part]
            gap = ~np.isfinite(own)
            drawn = {int(part[np.argmax(gap)])} if gap.any() else set()
            if not gap.all():
                drawn |= {int(part[np.nanargmin(own)]), int(part[np.nanargmax(own)])}
            keep += sorted(drawn)
    told = tuple(None if not np.isfinite(values[i]) else round(float(values[i]), 4) for i in keep)
    return Series(name, tuple(round(float(seconds[i]), 4) for i in keep), told), len(keep) < len(values)


def _round_width(width: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten, so that bins have readable edges."""
    if width <= 0:
        return 0.01
    power = 10.0 ** np.floor(np.log10(width))
    steps: Sequence[float] = (1, 2, 5, 10)
    return float(next(step for step in steps if step * power >= width * 0.999) * power)
