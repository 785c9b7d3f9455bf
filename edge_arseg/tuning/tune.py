"""``tune``: from options to a front, and to the setting that is taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.errors import EnvironmentUnfitError, SinkError
from edge_arseg.evaluation.labels.clip import clip_frames
from edge_arseg.evaluation.labels.pairing import label_paths
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.whole import write_whole
from edge_arseg.tuning.bundles import bundles_from_paths
from edge_arseg.tuning.config_file import toml_from_setting
from edge_arseg.tuning.front import Verdict, verdict_of, write_front
from edge_arseg.tuning.loop import Told, search_settings
from edge_arseg.tuning.options import TuneOptions, usual_trials
from edge_arseg.tuning.request import request_from_options
from edge_arseg.tuning.search.proposal import Proposals
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.tuning.search.space import space_from_options
from edge_arseg.tuning.study import Study, open_study
from edge_arseg.tuning.task import Task, bench_of_options, motions_of
from edge_arseg.tuning.trials.planning import planned_record, run_of_setting
from edge_arseg.tuning.trials.tried import Tried
from edge_arseg.video.uri import source_from_uri

FRONT, CHOSEN = "front.json", "chosen.toml"


@dataclass(frozen=True, slots=True)
class Tuned:
    """What came out.

    Attributes:
        tried: trials by number, those of earlier runs among them.
        failed: settings that cannot run here, and why.
        verdict: of the trials that came to their end.
        record: the front.
        record_path: where it is.
        config: file of the chosen setting; ``None``: none holds the limits.
        settings: how many could have been tried.
        complete: nothing better is to be expected: the search ended before its last trial.
    """

    tried: Mapping[int, Tried]
    failed: Mapping[Setting, str]
    verdict: Verdict
    record: BenchRecord
    record_path: Path
    config: Path | None
    settings: int
    complete: bool


def tune(options: TuneOptions, folder: Path, told: Told = lambda *_: None) -> Tuned:
    """Try settings until nothing better is to be expected, or the trials are used up.

    Everything is in the folder when a trial ends. The same call continues where an earlier one was ended, however that
    was; limits and the number of trials may have changed meanwhile.

    Args:
        options: what to tune.
        folder: for the study, the records, the bundles that are put together, and the chosen setting.
        told: see ``Told``.

    Raises:
        OptionError, DataError, SinkError, SourceError: options, labels, folder or clip cannot be used.
        EnvironmentUnfitError: nothing that is tried can run here; Optuna is missing, or a sensor that a limit needs.
        KeyboardInterrupt: what was tried until then is kept.
    """
    given = bundles_from_paths(options.bundles, folder / "bundles", mixed=options.mixed, keep=options.keep)
    first = given.given[0]
    motions = motions_of(options.clip, options.stream)
    label_paths(options.labels)  # what is not there is said before the clip is decoded
    frames = clip_frames(options.clip, options.stream)
    space = space_from_options(
        given.names,
        options.tries,
        motions,
        first.manifest.gop,
        hr_only=given.hr_only,
        halves=given.halves,
        frames=frames.count,
    )
    task = Task(options, given, bench_of_options(options, space, first, frames))
    request = request_from_options(options, given.digests, task.bench.labelled)
    with open_study(folder, space, request, objectives=len(options.limits.bounds)) as study:
        proposals = Proposals(space)
        most = options.trials or usual_trials(len(space.settings))
        try:
            complete = search_settings(task, study, proposals, most, told)
        except SinkError as error:
            raise SinkError(f"{error}; the trials before it are kept: make room, and type the same again") from error
        tried, failed = study.tried(), study.failed()
        verdict = _verdict(tried, failed, proposals, options)
        record = _write_front(task, study, folder, tried, verdict)
        config = _write_chosen(task, folder, tried, verdict, record)
        return Tuned(tried, failed, verdict, record, folder / FRONT, config, len(space.settings), complete)


def _verdict(
    tried: Mapping[int, Tried], failed: Mapping[Setting, str], proposals: Proposals, options: TuneOptions
) -> Verdict:
    """Return what the trials say; raise ``EnvironmentUnfitError`` where none came to its end."""
    seen = [(one.setting, one.outcome) for one in tried.values()]
    values = proposals.expected(seen, options.limits)
    expected = {setting: value for (setting, _), value in zip(seen, values, strict=True)}
    verdict = verdict_of(tried, options.limits, expected)
    if verdict is None:
        reasons = "\n".join(f"  {setting}: {why}" for setting, why in failed.items())
        raise EnvironmentUnfitError(f"no setting came to its end\n{reasons}" if reasons else "no setting was tried")
    return verdict


def _write_front(task: Task, study: Study, folder: Path, tried: Mapping[int, Tried], verdict: Verdict) -> BenchRecord:
    settings = [tried[number].setting for number in verdict.front]
    bench, stream = task.bench, task.options.stream
    runs = [run_of_setting(one, task.choice(one), str(bench.labelled.clip), stream) for one in settings]
    planned = planned_record(f"tune-{folder.name}", runs, bench.labels, bench.frames, bench.tried)
    trials = [study.record(number) for number in verdict.front]
    return write_front(planned, trials, list(map(str, settings)), folder / FRONT)


def _write_chosen(
    task: Task, folder: Path, tried: Mapping[int, Tried], verdict: Verdict, record: BenchRecord
) -> Path | None:
    """Write the chosen setting, and return its file; without one that holds the limits an older file goes."""
    config = folder / CHOSEN
    if verdict.chosen is None:
        config.unlink(missing_ok=True)
        return None
    setting, outcome = tried[verdict.chosen].setting, tried[verdict.chosen].outcome
    choice, clip = task.choice(setting), source_from_uri(task.options.clip)
    notes = [
        f"{setting}: mIoU {outcome.miou:.1f} %, {outcome.mean_ms:.1f} ms a frame (mean over a GOP)",
        f"on {record.conditions.cpu}, {record.taken[:10]}, {task.bench.labels} of {clip.name}",
    ]
    text = toml_from_setting(setting, choice.bundle, choice.options, notes)
    try:
        return write_whole(config, text.encode(), sync=True)
    except OSError as error:
        raise SinkError(f"cannot write {config}: {advice_on(error, config)}") from error
