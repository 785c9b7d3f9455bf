"""One trial: a setting is timed and scored, the cheap and noisy way first, until it is sure what becomes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge_arseg.bench.accuracy.joined import number
from edge_arseg.bench.record_files.writing import begin_record, put_back
from edge_arseg.bench.records.accuracy import Accuracy
from edge_arseg.evaluation.labels.clip import LabelledClip
from edge_arseg.evaluation.scores import Distances
from edge_arseg.motion.keyframe import SCENE_CUT
from edge_arseg.motion.policies.naming import in_background, policy_named
from edge_arseg.runtime.choice.engine_choice import Choice
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.tuning.search.limits import Limits
from edge_arseg.tuning.search.outcome import Outcome
from edge_arseg.tuning.search.parts import Parts
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.tuning.trials.confidence import interval_of_miou, surely_worse
from edge_arseg.tuning.trials.planning import named_runs, planned_record, run_of_setting
from edge_arseg.tuning.trials.scoring import FrameScores, scores_from_rows, scores_of_setting
from edge_arseg.tuning.trials.timing import Times, Timing
from edge_arseg.tuning.trials.tried import Cause, GivenUp, Tried, too_slow
from edge_arseg.video.uri import source_from_uri

FIRST_LOOK = 8
"""Labelled frames after which scores are looked at first; then after twice as many, and so on."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every trial is measured on.

    Attributes:
        labelled: the clip.
        labels: name of the labels.
        phases: frames on which the first keyframe is set, for an interval.
        first_frame: that is scored: the largest phase of any interval, so that all settings are scored on the same.
        frames: that are timed at most.
        limits: that have to hold.
        tried: values of every axis, for the record.
    """

    labelled: LabelledClip
    labels: str
    phases: Callable[[int], Sequence[int]]
    first_frame: int
    frames: int
    limits: Limits
    tried: dict[str, tuple[str, ...]]


def try_setting(
    setting: Setting,
    choice: Choice,
    bench: Bench,
    path: Path,
    others: Sequence[Tried],
    known: FrameScores | None,
    told: Callable[[str], None],
) -> Tried:
    """Measure a setting.

    Args:
        setting: it.
        choice: its bundle and engines.
        bench: what it is measured on.
        path: of the record of the trial; there is none of a setting that was given up.
        others: what was tried to its end: a setting that is surely no better than one of these is given up.
        known: scores of a setting that gives the same class maps, or ``None``.
        told: called with what is being done.

    Raises:
        ArsegError: it cannot run here.
    """
    clip = str(bench.labelled.clip)
    planned = run_of_setting(setting, choice, clip, bench.labelled.stream)
    record = planned_record(path.stem, [planned], bench.labels, bench.frames, bench.tried)
    record = named_runs(record, [str(setting)])
    path.parent.mkdir(parents=True, exist_ok=True)
    begin_record(record, path)
    try:
        with Timing(planned, record, path, energy=bench.limits.j_per_frame is not None) as timing:
            told("timing")
            timing.warm_up()
            most = max(24, 2 * setting.interval)
            limit = max(bench.frames, most)  # no mean over a GOP without two of them
            times = timing.turn(most)
            holding = any(bench.limits.hold(one.outcome) for one in others)
            first = _outcome(times, None)
            if holding and (why := too_slow(first, bench.limits)) is not None:
                return _given_up(path, Tried(setting, first, why, None))
            scores = known
            if scores is None:
                told("scoring")
                scores, why = _scores(setting, choice, bench, first, others if holding else (), others)
                if why is not None:
                    seen = _outcome(times, scores)
                    return _given_up(path, Tried(setting, seen, why, scores))
            whole = _outcome(times, scores)
            while most < limit and _undecided(whole, bench.limits, others):
                told(f"timing {min(2 * most, limit)} frames")
                times = timing.turn(min(most, limit - most))
                most *= 2
                whole = _outcome(times, scores)
            timing.end(_accuracy(scores, choice, bench, setting))
    except BaseException:
        put_back(path, {})
        raise
    return Tried(setting, whole, None, scores)


def _given_up(path: Path, tried: Tried) -> Tried:
    put_back(path, {})
    return tried


def _scores(
    setting: Setting,
    choice: Choice,
    bench: Bench,
    first: Outcome,
    holding: Sequence[Tried],
    others: Sequence[Tried],
) -> tuple[FrameScores, GivenUp | None]:
    """Score frame by frame; stop where the setting is surely no better than another, or surely below the limit."""
    policy = policy_named(setting.keyframes, setting.interval, SCENE_CUT)
    background = in_background(setting.keyframes)
    rivals = [one for one in others if one.scores is not None and _no_slower(one.outcome, first, bench.limits)]
    rows = []
    look = FIRST_LOOK
    with Segmenter(choice, mode=setting.mode, policy=policy, background=background) as segmenter:
        for row in scores_of_setting(
            segmenter, bench.labelled, setting, bench.phases(setting.interval), bench.first_frame
        ):
            rows.append(row)
            if len(rows) < look:
                continue
            look *= 2
            scores = scores_from_rows(rows)
            for one in rivals:
                if one.scores is not None and surely_worse(scores, one.scores):
                    why = f"surely no better than {one.setting}, after {len(rows)} labels"
                    return scores, GivenUp(Cause.RIVAL, why)
            if holding and bench.limits.miou is not None and interval_of_miou(scores)[1] < bench.limits.miou:
                why = f"surely below mIoU {bench.limits.miou:g}, after {len(rows)} labels"
                return scores, GivenUp(Cause.LIMIT, why)
    return scores_from_rows(rows), None


def _no_slower(one: Outcome, other: Outcome, limits: Limits) -> bool:
    """Whether one setting surely costs no more than another, in all that counts."""
    pairs = [(one.mean_high, other.mean_low)]
    pairs += [(one.slow_ms, other.slow_ms)] if limits.slow_ms is not None else []
    pairs += [(one.joules, other.j_per_frame or 0.0)] if limits.j_per_frame is not None else []
    return all(a <= b for a, b in pairs)


def _undecided(outcome: Outcome, limits: Limits, others: Sequence[Tried]) -> bool:
    """Whether more frames would tell: a limit, or another setting that is not worse in mIoU, lies in the interval.

    So they would where the sensor of power has not answered often enough yet.
    """
    if limits.j_per_frame is not None and outcome.j_per_frame is None:
        return True
    marks = [limits.mean_ms] if limits.mean_ms is not None else []
    marks += [one.outcome.mean_ms for one in others if one.outcome.miou >= outcome.miou - 0.5]
    return any(outcome.mean_low < mark < outcome.mean_high for mark in marks)


def _outcome(times: Times, scores: FrameScores | None) -> Outcome:
    nan, mean = float("nan"), times.mean_ms
    low = mean.value if mean.low is None else mean.low
    high = mean.value if mean.high is None else mean.high
    (hr_ms, hr_frames), (lr_ms, lr_frames) = times.branches["hr"], times.branches["lr"]
    parts = Parts(hr_ms, lr_ms, hr_frames, lr_frames)
    found = Outcome(nan, nan, nan, mean.value, low, high, times.slow_ms, times.j_per_frame, parts)
    if scores is None:
        return found
    miou_low, miou_high = interval_of_miou(scores)
    summary = scores.summary(tuple(map(str, range(scores.confusions.shape[1]))))
    parts = replace(
        parts,
        by_distance=summary.by_distance,
        maps=tuple(np.bincount(scores.distances).tolist()),
        frames=len(np.unique(scores.frames)),
    )
    return replace(found, miou=summary.miou, miou_low=miou_low, miou_high=miou_high, parts=parts)


def _accuracy(scores: FrameScores, choice: Choice, bench: Bench, setting: Setting) -> Accuracy:
    names = tuple(info.name for info in choice.bundle.manifest.model.classes)
    found: Distances = scores.summary(names)
    return Accuracy(
        digest=choice.bundle.digest,
        source=source_from_uri(bench.labelled.clip).name,
        frames=len(np.unique(scores.frames)),
        phases=tuple(bench.phases(setting.interval)),
        miou=number(found.miou),
        miou_pooled=number(found.miou_pooled),
        by_class={name: number(value) for name, value in found.per_class.items()},
        by_distance=tuple(number(value) for value in found.by_distance),
        worst_distance=found.worst_distance,
        temporal_consistency=None,
        flicker=None,
    )
