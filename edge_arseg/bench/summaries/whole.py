"""A whole record, worked out from what was appended to its journals: the same way at its end and after a crash."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.records.accuracy import Accuracy, FrameScore
from edge_arseg.bench.records.bench_record import BenchRecord, Notice
from edge_arseg.bench.records.energy import Channel, RunEnergy
from edge_arseg.bench.records.run import BenchRun, Layer, RunMemory, Turn, WarmUp
from edge_arseg.bench.records.samples import READING_DTYPE, Samples, frame_dtype, joined
from edge_arseg.bench.summaries.energy import Traces, run_energy, source_of, traces_of, with_branches
from edge_arseg.bench.summaries.latency import times_of
from edge_arseg.bench.summaries.notices import notices_of
from edge_arseg.bench.summaries.verdicts import verdicts_of

KEPT = ("accuracy", "layers")
"""What is said of a run once, however often its turns begin anew."""

OTHER_TIME = "the meter's log has no reading of the time that was measured; its clock must be that of this machine"

Entries = Iterable[dict[str, Any] | NDArray[Any]]


@dataclass
class _Told:
    """What the process said of itself."""

    frames: list[NDArray[np.void]] = field(default_factory=list)
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    idle: list[tuple[float, float]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


@dataclass
class _Read:
    """What the process that reads sensors said, and what it read."""

    channels: list[Channel] = field(default_factory=list)
    tables: list[NDArray[np.void]] = field(default_factory=list)
    total: str | None = None
    seen: list[str] = field(default_factory=list)


def whole_record(
    planned: BenchRecord, frames: Entries, readings: Entries, *, state: str, extra: Samples | None = None
) -> tuple[BenchRecord, Samples]:
    """Work out a record.

    Args:
        planned: what was written before the first run: no run has a result.
        frames, readings: entries of both journals; what is not there is not missed.
        state: of the result.
        extra: readings of one more channel, marked ``total``: an external meter's; it replaces the total.
    """
    told, read = _told(frames), _read(readings)
    samples = Samples(
        joined(told.frames, frame_dtype((), ())),
        joined(read.tables, READING_DTYPE),
    )
    ends = [
        *samples.frames["start_s"][-1:],
        samples.readings["time_s"].max(initial=0.0),
        *(end for _, end in told.idle),
    ]
    seconds = float(max(ends))
    if extra is not None:
        meter = _meanwhile(extra.readings, seconds)
        meter["channel"] = len(read.channels)
        read.channels = [*(replace(channel, total=False) for channel in read.channels), Channel("meter", "power", True)]
        read.total = "an external meter"
        samples = Samples(samples.frames, np.concatenate((samples.readings, meter)))
    samples = Samples(samples.frames, np.sort(samples.readings, order="time_s", kind="stable"))
    traces = traces_of(samples, read.channels)
    source = source_of(traces, read.total, read.seen, told.idle)
    if extra is not None and not len(meter):
        source = replace(source, text=f"not measured: {OTHER_TIME}")
    runs = with_branches([
        _run(run, number, told.runs.get(number, {}), samples, read.channels, traces, source.idle_w)
        for number, run in enumerate(planned.runs)
    ])  # fmt: skip
    notices = [*planned.notices, *told.notices, *notices_of(runs, samples, read.channels, planned.conditions.cores)]
    if state != "finished":
        left = sum(not run.finished for run in runs)
        notices.append(Notice("interrupted", f"{left} of {len(runs)} runs were not measured to their end"))
    return (
        replace(
            planned,
            state=state,
            seconds=seconds,
            runs=runs,
            channels=tuple(read.channels),
            energy=source,
            verdicts=verdicts_of(runs, planned.no_verdict),
            notices=tuple(notices),
        ),
        samples,
    )


def energy_of_run(run: BenchRun, frames: Entries, readings: Entries) -> RunEnergy | None:
    """Work out the energy of the only run of a record, as ``whole_record`` does, and nothing else.

    Args:
        run: as it was planned.
        frames, readings: entries of both journals.
    """
    read = _read(readings)
    rows = np.sort(joined(read.tables, READING_DTYPE), order="time_s", kind="stable")
    samples = Samples(joined(_told(frames).frames, frame_dtype((), ())), rows)
    own = samples.of_run(0)
    return run_energy(own, _turns(own), run.settings, traces_of(samples, read.channels), None)


def runs_with(frames: Entries, what: str) -> set[int]:
    """Return the runs of which a journal says something: ``finished``, ``accuracy``, ``layers``."""
    return {number for number, said in _told(frames).runs.items() if said.get(what)}


def _meanwhile(readings: NDArray[np.void], seconds: float) -> NDArray[np.void]:
    """Return the readings of a log that were taken while it was measured, and the one before and behind them.

    Of another time, as by a clock that is hours off, are none.
    """
    first, last = np.searchsorted(readings["time_s"], (0.0, seconds))
    return readings[max(first - 1, 0) : last + 1].copy() if first < last else readings[:0].copy()


def _run(
    planned: BenchRun,
    number: int,
    said: dict[str, Any],
    samples: Samples,
    channels: Sequence[Channel],
    traces: Traces,
    idle_w: float | None,
) -> BenchRun:
    frames = samples.of_run(number)
    turns = _turns(frames)
    times = times_of(frames, planned.settings, turns)
    accuracy = said.get("accuracy")
    return replace(
        planned,
        label=said.get("label", planned.label),
        motion_used=said.get("motion_used", ""),
        finished=bool(said.get("finished")),
        warm_up=WarmUp(**said["warm_up"]) if "warm_up" in said else None,
        turns=turns,
        latency=times.latency,
        mean_ms=times.mean_ms,
        fps=times.fps,
        outside_networks=times.outside_networks,
        cores_used=_cores_used(turns, samples, channels),
        deadlines=times.deadlines,
        energy=run_energy(frames, turns, planned.settings, traces, idle_w),
        memory=RunMemory(
            opened_mb=said.get("opened_mb"),
            peak_mb=_peak(turns, samples, channels, "memory"),
            device_mb=_peak(turns, samples, channels, "device memory"),
        ),
        accuracy=None if accuracy is None else _accuracy(accuracy),
        layers=tuple(Layer(**layer) for layer in said.get("layers", ())),
    )


def _turns(frames: NDArray[np.void]) -> tuple[Turn, ...]:
    numbers, first, counts = np.unique(frames["turn"], return_index=True, return_counts=True)
    found = []
    for number, start, count in zip(numbers, first, counts, strict=True):
        last = frames[start + count - 1]
        end = float(last["start_s"] + last["total_ms"] / 1e3)
        found.append(Turn(int(number), float(frames["start_s"][start]), end, int(count)))
    return tuple(found)


def _in_turns(turns: Sequence[Turn], samples: Samples, channel: int) -> list[tuple[NDArray, NDArray]]:
    times, values = samples.of_channel(channel)
    good = np.isfinite(values)
    times, values = times[good], values[good]
    windows = ((times >= turn.start_s) & (times <= turn.end_s) for turn in turns)
    return [(times[inside], values[inside]) for inside in windows]


def _cores_used(turns: Sequence[Turn], samples: Samples, channels: Sequence[Channel]) -> float | None:
    for index, channel in enumerate(channels):
        if channel.quantity == "cpu":
            parts = [part for part in _in_turns(turns, samples, index) if len(part[0]) > 1]
            seconds = sum(times[-1] - times[0] for times, _ in parts)
            return float(sum(used[-1] - used[0] for _, used in parts) / seconds) if seconds > 0 else None
    return None


def _peak(turns: Sequence[Turn], samples: Samples, channels: Sequence[Channel], quantity: str) -> float | None:
    found = [
        float(values.max())
        for index, channel in enumerate(channels)
        if channel.quantity == quantity
        for _, values in _in_turns(turns, samples, index)
        if len(values)
    ]
    return max(found, default=None)


def _told(entries: Entries) -> _Told:
    told = _Told()
    for entry in entries:
        if isinstance(entry, np.ndarray):
            told.frames.append(entry)
        elif "idle" in entry:
            told.idle.append(tuple(entry["idle"]))
        elif "notice" in entry:
            told.notices.append(Notice(**entry["notice"]))
        elif "run" in entry:
            number = entry.pop("run")
            if entry.pop("restart", False):  # what was measured of it before counts for nothing
                told.frames = [table[table["run"] != number] for table in told.frames]
                told.runs[number] = {key: said for key, said in told.runs.get(number, {}).items() if key in KEPT}
            told.runs.setdefault(number, {}).update(entry)
    return told


def _read(entries: Entries) -> _Read:
    read = _Read()
    places = np.zeros(0, np.uint16)
    for entry in entries:
        if isinstance(entry, np.ndarray):
            table = entry.copy()
            table["channel"] = places[entry["channel"]]
            read.tables.append(table)
        else:  # another session may find other channels
            own = [Channel(**channel) for channel in entry["channels"]]
            read.channels += [channel for channel in own if channel not in read.channels]
            places = np.array([read.channels.index(channel) for channel in own], np.uint16)
            read.total, read.seen = entry["total"], list(entry["seen"])
    return read


def _accuracy(said: dict[str, Any]) -> Accuracy:
    known = {one.name for one in fields(Accuracy)}
    values = {name: value for name, value in said.items() if name in known}
    values["phases"], values["by_distance"] = tuple(values["phases"]), tuple(values["by_distance"])
    values["worst_frames"] = tuple(FrameScore(**frame) for frame in values.get("worst_frames", ()))
    return Accuracy(**values)
