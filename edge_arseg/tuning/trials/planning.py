"""Records of ``tune`` before anything is measured: of one trial, and of the front."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone

from edge_arseg.bench.conditions import busy_from_conditions, conditions_now
from edge_arseg.bench.plans.plan import Plan, PlannedRun, bench_runs, precision_of
from edge_arseg.bench.records.bench_record import REVISION, BenchRecord, BenchSettings, Notice
from edge_arseg.bench.records.energy import EnergySource
from edge_arseg.bench.records.run import RunSettings
from edge_arseg.bench.surroundings import board_facts, no_verdict_reason
from edge_arseg.motion.keyframe import SCENE_CUT
from edge_arseg.runtime.choice.engine_choice import Choice
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.video.uri import source_from_uri


def run_of_setting(setting: Setting, choice: Choice, clip: str, stream: int | None) -> PlannedRun:
    """Return a run as ``bench`` measures it."""
    settings = RunSettings(
        mode=setting.mode.value,
        backend=choice.options.backend,
        fusion=choice.options.fusion,
        threads=choice.options.threads,
        precision=precision_of(choice.bundle),
        lr_scale=choice.bundle.manifest.lr_scale,
        interval=setting.interval,
        motion=setting.motion,
        recode_scale=setting.recode_scale,
        stream=stream,
        unchecked=choice.options.unchecked,
        keyframes=setting.keyframes,
        scene_cut=SCENE_CUT,  # as `run` has it: what is tuned is what is deployed
    )
    return PlannedRun(choice, settings, clip, 0)


def planned_record(
    name: str, runs: Sequence[PlannedRun], labels: str, frames: int, tried: dict[str, tuple[str, ...]]
) -> BenchRecord:
    """Return a record of runs that are going to be measured.

    Args:
        name: of the record.
        runs: of one clip.
        labels: name of the labels.
        frames: that are timed at most.
        tried: values of every axis.
    """
    conditions = conditions_now()
    source = source_from_uri(runs[0].source)
    notices = []
    if busy := busy_from_conditions(conditions):
        notices.append(Notice("load", busy))
    for number, run in enumerate(runs):
        notices += [Notice("fallback", warning, number) for warning in run.choice.warnings]
    reasons = (no_verdict_reason(run.choice.bundle, run.settings.backend, run.source) for run in runs)
    return BenchRecord(
        revision=REVISION,
        name=name,
        state="running",
        taken=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        seconds=0.0,
        conditions=conditions,
        board=board_facts(),
        settings=BenchSettings(
            source=source.name,
            live=False,
            workload=None,
            profile=None,
            seconds=None,
            frames=frames,
            turns=0,
            matrix=dict(tried),
            labels=labels,
        ),
        runs=bench_runs(Plan(tuple(runs), ())),
        channels=(),
        energy=EnergySource("not measured", measured=False),
        notices=tuple(notices),
        no_verdict=next(filter(None, reasons), ""),
    )


def named_runs(record: BenchRecord, names: Sequence[str]) -> BenchRecord:
    """Return a record whose runs are called ``names``."""
    runs = tuple(replace(run, name=name) for run, name in zip(record.runs, names, strict=True))
    return replace(record, runs=runs)
