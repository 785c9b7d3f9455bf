"""Energy of runs: total, and with idle power subtracted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.records.energy import Channel, EnergySource, RunEnergy
from edge_arseg.bench.records.run import BenchRun, RunSettings, Turn
from edge_arseg.bench.records.samples import BRANCHES, Samples
from edge_arseg.bench.records.summary import Estimate
from edge_arseg.bench.summaries.integral import Trace, total_trace, trace_of
from edge_arseg.bench.summaries.latency import missing_branch
from edge_arseg.bench.summaries.resampling import Blocks, estimate
from edge_arseg.bench.summaries.verdicts import hr_beside
from edge_arseg.motion.policies.naming import in_background

MEASURED = ("power", "energy")
KNOWN_SHARE = 0.5
"""Share of a run's time in which the sensor must have answered, for its energy to be given."""

Window = tuple[float, float]
"""From when to when, on the record's clock."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Energy along time: of every rail by the name of its channel, and their total, if there is one."""

    rails: dict[str, Trace]
    total: Trace | None
    readings: int


def traces_of(samples: Samples, channels: Sequence[Channel]) -> Traces:
    """Return the traces of every channel of power or energy that answered."""
    rails: dict[str, Trace] = {}
    totals, readings, complete = [], 0, True
    for number, channel in enumerate(channels):
        if channel.quantity not in MEASURED:
            continue
        trace = trace_of(*samples.of_channel(number), channel.quantity)
        if len(trace.times) > 1:
            rails[channel.name] = trace
        if channel.total:
            complete &= len(trace.times) > 1
            totals.append(trace)
            readings = max(readings, len(trace.times))
    return Traces(rails, total_trace(totals) if complete else None, readings)


def source_of(traces: Traces, text: str | None, seen: Sequence[str], idle: Sequence[Window]) -> EnergySource:
    """Say where energy comes from, or why it was not measured."""
    if traces.total is None:
        why = f"{text} never answered" if text else f"no sensor of power ({'; '.join(seen) or 'no sensor at all'})"
        return EnergySource(f"not measured: {why}", measured=False)
    parts = [traces.total.between(*window) for window in idle]
    known = sum(part[1] for part in parts)
    span = float(traces.total.times[-1] - traces.total.times[0])
    return EnergySource(
        text or "",
        measured=True,
        readings=traces.readings,
        rate_hz=(traces.readings - 1) / span if span > 0 else None,
        idle_w=sum(part[0] for part in parts) / known if known > 0 else None,
        idle_seconds=known,
    )


def run_energy(
    frames: NDArray[np.void], turns: tuple[Turn, ...], settings: RunSettings, traces: Traces, idle_w: float | None
) -> RunEnergy | None:
    """Return the energy of one run; ``None`` where it was not measured.

    A frame's energy is that of the GOPs that lie wholly in time with readings, over their frames; in mode ``ar`` of
    those alone that are whole: where a clip begins or ends in a GOP, it has another share of keyframes.
    """
    seen = [name for number, name in enumerate(BRANCHES) if (frames["branch"] == number).any()]
    if traces.total is None or not turns or not seen or missing_branch(settings, seen):
        return None
    parts = [traces.total.between(turn.start_s, turn.end_s) for turn in turns]
    joules, known = sum(part[0] for part in parts), sum(part[1] for part in parts)
    planned = sum(turn.end_s - turn.start_s for turn in turns)
    if known <= 0 or known < KNOWN_SHARE * planned:
        return None
    energy, counts, whole = _by_gop(frames, traces.total, settings)
    good = ~np.isnan(energy) & whole
    if not good.any():
        return None
    energy, counts = energy[good], counts[good]
    blocks = Blocks(np.arange(len(energy)))

    def means(draw: NDArray[np.intp]) -> NDArray[np.float64]:
        joules_of = energy[draw].sum()
        return np.array([joules_of / counts[draw].sum(), joules_of / len(draw)])

    drawn = blocks.intervals(means)
    frame, gop = (estimate(float(value), drawn, column) for column, value in enumerate(means(np.arange(len(energy)))))
    if settings.mode != "ar":  # every frame is alike, and not every GOP is whole
        edges = (None if edge is None else settings.interval * edge for edge in (frame.low, frame.high))
        gop = Estimate(settings.interval * frame.value, *edges)
    watts = joules / known
    share = None if idle_w is None or watts <= 0 else 1.0 - idle_w / watts
    rails = {
        name: sum(trace.between(turn.start_s, turn.end_s)[0] for turn in turns) for name, trace in traces.rails.items()
    }
    return RunEnergy(
        joules=joules,
        seconds=known,
        watts=watts,
        j_per_frame=frame,
        j_per_gop=gop,
        net_j_per_frame=None if share is None else share * frame.value,
        net_j_per_gop=None if share is None else share * gop.value,
        rails=rails,
        missing_s=max(planned - known, 0.0),
    )


def with_branches(runs: Sequence[BenchRun]) -> tuple[BenchRun, ...]:
    """Tell the branches' energies apart, where a run of every frame through the HR branch was measured beside AR.

    One reading is no frame: the energy of a keyframe is that of a frame in the run that has nothing else, and the rest
    of AR's GOP is that of the frames between.
    """
    found = []
    for run in runs:
        energy = run.energy
        if energy is not None and run.settings.mode in ("hr", "lr"):
            energy = replace(
                energy,
                branches={run.settings.mode: energy.j_per_frame.value},
                branches_how="every frame is of the branch",
            )
        elif energy is not None and (hr := _hr_beside(run, runs)) is not None and run.settings.interval > 1:
            key = hr.j_per_frame.value
            rest = (energy.j_per_gop.value - key) / (run.settings.interval - 1)
            energy = replace(
                energy,
                branches={"hr": key, "lr": rest},
                branches_how="hr: a frame of the HR-only run; lr: the rest of AR's GOP over its other frames",
            )
        found.append(replace(run, energy=energy))
    return tuple(found)


def _hr_beside(run: BenchRun, runs: Sequence[BenchRun]) -> RunEnergy | None:
    if run.settings.loop != "closed":
        return None  # at a camera's pace a frame's energy holds the wait for the next one
    return next((other.energy for other in runs if other.energy is not None and hr_beside(run, other)), None)


def _by_gop(
    frames: NDArray[np.void], trace: Trace, settings: RunSettings
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
    """Joules and frames of each GOP, from its first frame asked for to its last class map; and whether it is whole."""
    _, first, counts = np.unique(frames["gop"], return_index=True, return_counts=True)
    order = np.argsort(first)
    first, counts = first[order], counts[order]
    last = first + counts - 1
    ends = frames["start_s"][last] + frames["total_ms"][last] / 1e3
    energy = trace.of_intervals(frames["start_s"][first], ends)
    return energy, counts, _whole(frames, first, last, settings)


def _whole(
    frames: NDArray[np.void], first: NDArray[np.intp], last: NDArray[np.intp], settings: RunSettings
) -> NDArray[np.bool_]:
    """Say of each GOP whether it has its keyframe, and all frames up to the next one.

    The first frame of a source that was opened is in no table, so that behind it an index is missing.
    """
    if settings.mode != "ar" or settings.interval == 1:
        return np.ones(len(first), bool)
    before, behind = np.maximum(first - 1, 0), np.minimum(last + 1, len(frames) - 1)
    begun, ended = _goes_on(frames, before, first), _goes_on(frames, last, behind)
    if not in_background(settings.keyframes):  # else its keyframe is made beside the frames before it
        begun = frames["branch"][first] == BRANCHES.index("hr")
    full = frames["index"][last].astype(np.int64) - frames["index"][first] + 1 == settings.interval
    return begun & (ended | (full if settings.keyframes == "fixed" else False))


def _goes_on(frames: NDArray[np.void], before: NDArray[np.intp], behind: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether one frame is the next of the same turn behind another, but for those that were dropped."""
    index = frames["index"].astype(np.int64)
    next_one = index[behind] - frames["dropped"][behind] == index[before] + 1
    return next_one & (before != behind) & (frames["turn"][before] == frames["turn"][behind])
