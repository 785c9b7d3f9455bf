"""Times of a run, by branch and stage."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.records.run import Deadlines, Latency, RunSettings, Turn
from edge_arseg.bench.records.samples import BRANCHES, CPU, END, STAGE, cpu_names, stage_names
from edge_arseg.bench.records.summary import Estimate
from edge_arseg.bench.summaries.percentiles import summary_of
from edge_arseg.bench.summaries.resampling import Blocks, estimate
from edge_arseg.motion.policies.naming import in_background

NETWORKS = ("hr", "lr")
"""Stages that are the branches' engines."""


@dataclass(frozen=True, slots=True)
class Times:
    """See ``BenchRun``."""

    latency: dict[str, Latency]
    mean_ms: Estimate | None
    fps: Estimate | None
    outside_networks: float | None
    deadlines: Deadlines | None


def times_of(frames: NDArray[np.void], settings: RunSettings, turns: tuple[Turn, ...]) -> Times:
    """Summarise the frames of one run; without frames there is nothing."""
    if not len(frames):
        return Times({}, None, None, None, None)
    latency = {"all": _latency(frames)}
    for number, branch in enumerate(BRANCHES):
        if len(own := frames[frames["branch"] == number]):
            latency[branch] = _latency(own)
    blocks = Blocks(frames["gop"])
    total, branches = frames["total_ms"], frames["branch"]

    def weighted(draw: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.array([weighted_mean(total[draw], branches[draw], settings.interval)])

    mean = weighted_mean(total, branches, settings.interval)
    lacking = missing_branch(settings, latency) or np.isnan(mean)
    mean_ms = None if lacking else estimate(mean, blocks.intervals(weighted))
    outside = None
    if mean_ms is not None and settings.loop == "closed":  # in an open loop a frame's time has the wait for it in it
        inside = sum(np.nan_to_num(frames[f"{STAGE}{name}{END}"]) for name in NETWORKS if name in stage_names(frames))
        outside = 1.0 - weighted_mean(np.broadcast_to(inside, total.shape), branches, settings.interval) / mean
    fps = _inverse(mean_ms) if settings.loop == "closed" else _rate(len(frames), turns)
    deadlines = _deadlines(frames) if settings.loop == "open" else None
    return Times(latency, mean_ms, fps, outside, deadlines)


def weighted_mean(total: NDArray[np.floating], branches: NDArray[np.integer], interval: int) -> float:
    """Return ``(hr + (interval - 1) * lr) / interval`` of the branches' means, or the mean of the only branch.

    The share of keyframes is that of the GOP, not that of the frames which happened to be measured.
    """
    key = branches == BRANCHES.index("hr")
    if key.all() or not key.any():
        return float(total.mean()) if len(total) else float("nan")
    return float((total[key].mean() + (interval - 1) * total[~key].mean()) / interval)


def missing_branch(settings: RunSettings, seen: Collection[str]) -> str:
    """Return the branch that an AR run has no timed frame of, as in a clip of three frames; else an empty text.

    The mean of a GOP is known with both. Keyframes that are made in the background have no frames of their own, and
    where a cut makes a keyframe, every frame may be one.

    Args:
        settings: of the run.
        seen: names that it has times of; none: nothing was measured.
    """
    if settings.mode != "ar" or settings.interval == 1 or not seen:
        return ""
    if "hr" not in seen and not in_background(settings.keyframes):
        return "hr"
    return "lr" if "lr" not in seen and settings.scene_cut is None else ""


def _latency(frames: NDArray[np.void]) -> Latency:
    blocks = Blocks(frames["gop"])
    stages = {name: _column(frames, f"{STAGE}{name}{END}") for name in stage_names(frames)}
    beside = {name: _column(frames, f"{CPU}{name}{END}") for name in cpu_names(frames)}
    explained = sum((np.nan_to_num(frames[f"{STAGE}{name}{END}"]) for name in stages), np.zeros(len(frames)))
    return Latency(
        frame=summary_of(frames["total_ms"], blocks),
        stages={name: summary_of(*column) for name, column in stages.items() if column is not None},
        cpu={name: summary_of(*column) for name, column in beside.items() if column is not None},
        unexplained=summary_of(frames["total_ms"] - explained, blocks),
    )


def _column(frames: NDArray[np.void], name: str) -> tuple[NDArray[np.float64], Blocks] | None:
    """Values of a column and their GOPs, of the frames that have one."""
    ran = ~np.isnan(frames[name])
    return (frames[name][ran], Blocks(frames["gop"][ran])) if ran.any() else None


def _inverse(mean: Estimate | None) -> Estimate | None:
    if mean is None:
        return None
    low, high = (None if edge is None else 1e3 / edge for edge in (mean.high, mean.low))
    return Estimate(1e3 / mean.value, low, high)


def _rate(count: int, turns: tuple[Turn, ...]) -> Estimate | None:
    seconds = sum(turn.end_s - turn.start_s for turn in turns)
    return Estimate(count / seconds) if seconds > 0 else None


def _deadlines(frames: NDArray[np.void]) -> Deadlines | None:
    aged = frames[~np.isnan(frames["age_ms"])]
    if not len(aged):
        return None
    dropped, missed = int(aged["dropped"].sum()), int(aged["missed"].sum())
    due = len(aged) + dropped
    return Deadlines(
        age=summary_of(aged["age_ms"], Blocks(aged["gop"])),
        due=due,
        segmented=len(aged),
        dropped=dropped,
        missed=missed,
        missed_share=(missed + dropped) / due,
    )
