"""``bench``: from options to a record on disk."""

import time
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from edge_arseg.bench.accuracy.joined import accuracy_of, scores_from_file
from edge_arseg.bench.accuracy.scoring import accuracies_of_runs
from edge_arseg.bench.conditions import busy_from_conditions, conditions_now
from edge_arseg.bench.inputs import inputs_of_options, refuse_unreadable
from edge_arseg.bench.layers import GraphMacs, layers_of_run
from edge_arseg.bench.measuring import Measuring
from edge_arseg.bench.plans.naming import name_of_record
from edge_arseg.bench.plans.options import BenchOptions
from edge_arseg.bench.plans.plan import Choose, Plan, bench_runs, facts_of, plan_from_options
from edge_arseg.bench.plans.profiles import profile_named
from edge_arseg.bench.record_files.reading import planned_record
from edge_arseg.bench.record_files.writing import (
    any_frames,
    begin_record,
    check_record,
    end_record,
    forget,
    frames_journal,
    lock_record,
    put_back,
    samples_file,
    sensors_journal,
    write_special,
)
from edge_arseg.bench.records.accuracy import Accuracy
from edge_arseg.bench.records.bench_record import REVISION, BenchRecord, BenchSettings, Notice
from edge_arseg.bench.records.energy import EnergySource
from edge_arseg.bench.records.journal import Journal, entries_of, repair
from edge_arseg.bench.records.samples import READING_DTYPE, Samples, frame_dtype
from edge_arseg.bench.sensors.meter import readings_by_session, readings_of_meter
from edge_arseg.bench.summaries.whole import runs_with
from edge_arseg.bench.surroundings import board_facts, no_verdict_reason
from edge_arseg.errors import ArsegError, OptionError, SinkError
from edge_arseg.spec.progress import Progress, no_progress
from edge_arseg.storage.files.identity import is_special
from edge_arseg.storage.scratch import scratch_folder
from edge_arseg.video.uri import source_from_uri


def bench_from_options(
    options: BenchOptions,
    choose: Choose,
    output: Path | None = None,
    *,
    force: bool = False,
    resume: bool = False,
    progress: Progress = no_progress,
    scoring: Progress = no_progress,
    root: Path = Path("/"),
    macs: GraphMacs | None = None,
) -> tuple[BenchRecord, Path | None]:
    """Measure, and keep the record.

    While it runs, what was measured is on disk: a process that is killed leaves a record that can be read, and that
    ``resume`` continues.

    Args:
        options: what to measure.
        choose: settles bundle and engines.
        output: of the record, ending in ``.json``; a folder, in which it is named by its conditions; a device or pipe,
            which gets the JSON alone; ``None``: it is not kept.
        force: a record that is there may be replaced.
        resume: continue a record that was not finished.
        progress: see ``Measuring.measure``.
        scoring: the same of frames that are scored, before anything is timed.
        root: of the file system that board and sensors are read from.
        macs: counts those of each layer.

    Returns:
        The record, and where it is.

    Raises:
        ArsegError: see ``plan_from_options``, ``Measuring`` and ``accuracies_of_runs``.
        SinkError: it cannot be written.
        OptionError: what is to be resumed is of other options, or finished.
        KeyboardInterrupt: what was measured until then is kept.
    """
    profile_named(options.profile)
    refuse_unreadable(options)
    plan = plan_from_options(options, choose)
    taken, zero = datetime.now(timezone.utc), time.monotonic()
    planned = _planned(options, plan, taken, root)
    kept = output is not None and not is_special(output)
    with ExitStack() as stack:
        if output is None or not kept:
            path = stack.enter_context(scratch_folder("bench")) / "record.json"
        else:
            path = output / f"{planned.name}.json" if output.is_dir() else output
            inputs = [*(run.choice.bundle.path for run in plan.runs), *inputs_of_options(options)]
            check_record(path, force=force or resume, inputs=inputs)  # it may have come meanwhile
        planned = replace(planned, samples=samples_file(path).name if kept else "")
        done: set[int] = set()
        aside: dict[Path, Path] = {}
        if resume and path.exists():
            journal_is_new = not frames_journal(path).exists()
            stack.callback(lock_record(path).release)
            try:
                planned, done = _resumed(planned, path)
            except ArsegError:
                if journal_is_new:  # it was locked, and is no part of a finished record
                    frames_journal(path).unlink(missing_ok=True)
                raise
            zero = time.monotonic() - _reached(path)[0]
        else:
            aside = begin_record(planned, path)
            stack.callback(lock_record(path).release)
        try:
            _measure(options, plan, planned, path, done, zero, progress, scoring, root, macs)
            whole, _ = end_record(planned, path, state="finished", extra=_meter(options, planned, path))
        except BaseException as error:
            measured = any_frames(path)
            if not measured:
                put_back(path, aside)
                raise
            forget(aside)
            if kept and isinstance(error, SinkError):
                raise SinkError(
                    f"{error}; what was measured is kept: type the same with --resume to continue"
                ) from error
            raise
        forget(aside)
        if output is not None and not kept:
            write_special(whole, output)
        return whole, path if kept else None


def _planned(options: BenchOptions, plan: Plan, taken: datetime, root: Path) -> BenchRecord:
    conditions, board = conditions_now(root), board_facts(root)
    source = source_from_uri(options.source)
    notices = list(plan.notices)
    if busy := busy_from_conditions(conditions):
        notices.append(Notice("load", busy))
    for number, run in enumerate(plan.runs):
        notices += [Notice("fallback", warning, number) for warning in run.choice.warnings]
    reasons = (no_verdict_reason(run.choice.bundle, run.settings.backend, options.source) for run in plan.runs)
    return BenchRecord(
        revision=REVISION,
        name=name_of_record(plan.runs, board, conditions, taken),
        state="running",
        taken=taken.isoformat(timespec="milliseconds"),
        seconds=0.0,
        conditions=conditions,
        board=board,
        settings=BenchSettings(
            source=source.name,
            live=source.live,
            workload=options.workload,
            profile=options.profile if options.frames is None else None,
            seconds=profile_named(options.profile).seconds if options.frames is None else None,
            frames=options.frames,
            turns=options.turns or 0,
            matrix=dict(options.matrix),
            labels=options.labels.name if options.labels else None,
            published=options.published,
        ),
        runs=bench_runs(plan),
        channels=(),
        energy=EnergySource("not measured", measured=False),
        notices=tuple(notices),
        no_verdict=next(filter(None, reasons), ""),
    )


def _measure(
    options: BenchOptions,
    plan: Plan,
    planned: BenchRecord,
    path: Path,
    done: set[int],
    zero: float,
    progress: Progress,
    scoring: Progress,
    root: Path,
    macs: GraphMacs | None,
) -> None:
    names = [run.name for run in planned.runs]
    scored = runs_with(entries_of(frames_journal(path)), "accuracy")
    with Journal(frames_journal(path)) as journal:
        journal.say(clock=[time.monotonic() - zero, time.time()])  # puts the log of a meter beside the frames
        for number, accuracy in _accuracies(options, plan, scored, scoring).items():
            journal.say(run=number, accuracy=asdict(accuracy))
        measuring = Measuring(
            options, plan.runs, names, done=done, frames=journal, sensors=sensors_journal(path), zero=zero, root=root
        )
        measuring.measure(_reached(path)[1], progress)
        if options.layers:
            for number, run in enumerate(plan.runs):
                journal.say(run=number, layers=[asdict(layer) for layer in layers_of_run(run, macs)])


def _accuracies(options: BenchOptions, plan: Plan, scored: set[int], progress: Progress) -> dict[int, Accuracy]:
    """Score before timing: what is wrong with the labels is said before an hour has gone."""
    if options.scores is not None:
        scores = scores_from_file(options.scores)
        return {
            number: accuracy_of(
                scores,
                run.settings.mode,
                facts_of(run.choice.bundle),
                interval=run.settings.interval,
                where=str(options.scores),
            )
            for number, run in enumerate(plan.runs)
        }
    if options.labels is None or len(scored) == len(plan.runs):
        return {}
    return accuracies_of_runs(plan.runs, options, options.labels, progress=progress)


def _resumed(planned: BenchRecord, path: Path) -> tuple[BenchRecord, set[int]]:
    """Return the record as it was planned then, and the runs that need nothing any more."""
    old = planned_record(path)
    if old.state == "finished":
        raise OptionError(f"{path} is finished; nothing is left to resume. Type --force to measure it again")
    faults = []
    if [(run.bundle, run.settings) for run in old.runs] != [(run.bundle, run.settings) for run in planned.runs]:
        faults.append("other runs")
    if old.settings != planned.settings:
        faults.append("other settings")
    if replace(old.conditions, load=0.0) != replace(planned.conditions, load=0.0) or old.board != planned.board:
        faults.append("another machine, other versions or another power mode")
    if faults:
        raise OptionError(f"{path} was begun with {' and '.join(faults)}; type the same again, or choose another name")
    for journal in (frames_journal(path), sensors_journal(path)):
        repair(journal)
    return old, runs_with(entries_of(frames_journal(path)), "finished")


def _reached(path: Path) -> tuple[float, int]:
    """Return where the record's clock continues, and the number of the next turn."""
    last_s, turn = 0.0, 0
    for entry in entries_of(frames_journal(path)):
        if isinstance(entry, np.ndarray) and len(entry):
            last_s = max(last_s, float(entry["start_s"][-1] + entry["total_ms"][-1] / 1e3))
            turn = max(turn, int(entry["turn"].max()) + 1)
    for entry in entries_of(sensors_journal(path)):
        if isinstance(entry, np.ndarray) and len(entry):
            last_s = max(last_s, float(entry["time_s"][-1]))
    return (last_s + 2.0 if last_s else 0.0), turn  # a gap that no integral goes across


def _meter(options: BenchOptions, planned: BenchRecord, path: Path) -> Samples | None:
    if options.meter is None:
        return None
    since_1970 = datetime.fromtimestamp(0, timezone.utc)
    told = [
        entry["clock"] for entry in entries_of(frames_journal(path)) if isinstance(entry, dict) and "clock" in entry
    ]
    sessions = [(clock, wall) for clock, wall in told] or [(0.0, datetime.fromisoformat(planned.taken).timestamp())]
    times, watts = readings_by_session(*readings_of_meter(options.meter, since_1970), sessions)
    rows = np.zeros(len(times), READING_DTYPE)
    rows["time_s"], rows["value"] = times, watts
    return Samples(np.zeros(0, frame_dtype((), ())), rows)
