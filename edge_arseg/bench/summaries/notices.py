"""What a reader of the numbers has to know, as the samples show it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.records.bench_record import Notice
from edge_arseg.bench.records.energy import Channel
from edge_arseg.bench.records.run import BenchRun
from edge_arseg.bench.records.samples import Samples
from edge_arseg.bench.summaries.latency import missing_branch
from edge_arseg.bench.summaries.percentiles import PERCENTILES
from edge_arseg.quantity import counted

OTHERS_SHARE = 0.10
"""Share of the cores taken by other processes over a run: more is named."""
STALL_MS, STALL_TIMES = 1000.0, 20.0
"""A wait for the source longer than both, the second in medians, is a stall."""
DRIFT = 1.10
"""Between the medians of a run's first and last third."""
LOST_S = 1.0


def notices_of(runs: Sequence[BenchRun], samples: Samples, channels: Sequence[Channel], cores: int) -> list[Notice]:
    """Return what the samples show."""
    found = []
    for number, run in enumerate(runs):
        frames = samples.of_run(number)
        if not run.turns or not len(frames):
            continue
        found += _stalls(number, run, frames)
        found += _steadiness(number, run, frames)
        found += _few(number, run)
        found += _no_gop(number, run, samples, channels)
        found += _machine(number, run, samples, channels, cores)
    return found + _sensors(runs, samples, channels)


def _stalls(number: int, run: BenchRun, frames: NDArray[np.void]) -> list[Notice]:
    waits = frames["stage_decode_ms"] if "stage_decode_ms" in (frames.dtype.names or ()) else np.zeros(len(frames))
    usual = float(np.nanmedian(waits)) if len(waits) else 0.0
    stalled = frames[np.nan_to_num(waits) > max(STALL_MS, STALL_TIMES * usual)]
    if not len(stalled):
        return []
    lost = float(stalled["stage_decode_ms"].sum()) / 1e3
    start = float(stalled["start_s"][0])
    text = (
        f"{run.name}: the source came to a stop {counted(len(stalled), 'time')}, {lost:.1f} s in all, first "
        f"at {start:.1f} s"
    )
    return [Notice("stall", text, number, start, float(stalled["start_s"][-1] + stalled["total_ms"][-1] / 1e3))]


def _steadiness(number: int, run: BenchRun, frames: NDArray[np.void]) -> list[Notice]:
    found = []
    if run.warm_up is not None and not run.warm_up.stable:
        text = f"{run.name}: times were not steady yet when the warm-up ended, after {run.warm_up.seconds:.0f} s"
        found.append(Notice("unstable", text, number))
    for branch in (name for name in run.latency if name != "all"):
        own = frames[frames["branch"] == ("hr", "lr").index(branch)]["total_ms"]
        third = len(own) // 3
        if third >= 10:
            first, last = float(np.median(own[:third])), float(np.median(own[-third:]))
            if max(first, last) > DRIFT * min(first, last):
                text = (
                    f"{run.name}: {branch} frames took {first:.1f} ms in the first third and {last:.1f} ms in the last"
                )
                found.append(Notice("unstable", text, number))
    return found


def _few(number: int, run: BenchRun) -> list[Notice]:
    few = []
    for branch, latency in run.latency.items():
        missing = [name for name in PERCENTILES if name != "p999" and getattr(latency.frame, name) is None]
        if missing and branch != "all":
            few.append(f"{counted(latency.frame.count, f'{branch} frame')}: too few for {', '.join(missing)}")
    return [Notice("few samples", f"{run.name}: {'; '.join(few)}", number)] if few else []


def _no_gop(number: int, run: BenchRun, samples: Samples, channels: Sequence[Channel]) -> list[Notice]:
    """Say why there is no mean of a GOP, or no energy of one though a sensor of power answered."""
    if branch := missing_branch(run.settings, run.latency):
        text = f"{run.name}: no {branch} frame counts, so the time and energy of a GOP are not known"
        return [Notice("few samples", f"{text}; time a clip of two GOPs or more", number)]
    totals = [samples.of_channel(index) for index, channel in enumerate(channels) if channel.total]
    if run.energy is None and any((np.isfinite(values) & _in_turns(times, run)).any() for times, values in totals):
        text = f"{run.name}: power was read, but not throughout a whole GOP, so the energy of a frame is not known"
        return [Notice("few samples", f"{text}; measure for longer, on a clip of two GOPs or more", number)]
    return []


def _machine(number: int, run: BenchRun, samples: Samples, channels: Sequence[Channel], cores: int) -> list[Notice]:
    found = []
    for index, channel in enumerate(channels):
        if channel.quantity not in ("load", "throttling"):
            continue
        times, values = samples.of_channel(index)
        inside = np.isfinite(values) & _in_turns(times, run)
        if not inside.any():
            continue
        mean = float(values[inside].mean())
        if channel.quantity == "load" and mean > OTHERS_SHARE * cores:
            own = f"this one may use {cores}"  # of the machine's, all of which the others have
            text = f"{run.name}: other processes used {mean:.1f} cores meanwhile; {own}"
            found.append(Notice("load", text, number))
        if channel.quantity == "throttling" and mean > 0:
            when = times[inside & (values > 0)]
            text = f"{run.name}: clocks were held back ({channel.name}) in {mean:.0%} of the readings"
            found.append(Notice("throttled", text, number, float(when[0]), float(when[-1])))
    return found


def _in_turns(times: NDArray[np.float64], run: BenchRun) -> NDArray[np.bool_]:
    inside = np.zeros(len(times), bool)
    for turn in run.turns:
        inside |= (times >= turn.start_s) & (times <= turn.end_s)
    return inside


def _sensors(runs: Sequence[BenchRun], samples: Samples, channels: Sequence[Channel]) -> list[Notice]:
    found = []
    turns = [turn for run in runs for turn in run.turns]
    if not turns:
        return []
    start, end = min(turn.start_s for turn in turns), max(turn.end_s for turn in turns)
    for index, channel in enumerate(channels):
        times, values = samples.of_channel(index)
        during = (times >= start) & (times <= end)
        garbage = during & np.isinf(values)
        if garbage.any():
            when = times[garbage]
            text = f"{channel.name} gave {len(when)} readings of {during.sum()} that cannot be; they count nowhere"
            found.append(Notice("sensor garbage", text, None, float(when[0]), float(when[-1])))
        good = times[during & np.isfinite(values)]
        edges = np.concatenate(([start], good, [end]))
        gaps = np.diff(edges)
        if len(times) and gaps.max(initial=0.0) > LOST_S and (~np.isfinite(values[during])).any():
            widest = int(gaps.argmax())
            text = (
                f"{channel.name} did not answer for {gaps[gaps > LOST_S].sum():.1f} s of {end - start:.1f} s; "
                "what it reads is not known there"
            )
            found.append(Notice("sensor lost", text, None, float(edges[widest]), float(edges[widest + 1])))
    return found
