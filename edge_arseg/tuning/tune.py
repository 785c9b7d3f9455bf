"""``tune``: from options to a front, and to the setting that is taken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.errors import (
    ArsegError,
    EnvironmentUnfitError,
    MemoryExhaustedError,
    MotionError,
    OptionError,
    SinkError,
    SourceError,
)
from edge_arseg.evaluation.labels.clip import ClipFrames, clip_frames, labelled_clip
from edge_arseg.evaluation.labels.pairing import label_paths
from edge_arseg.evaluation.passes import phases_from_text
from edge_arseg.motion.policies.naming import in_background
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.choice.engine_choice import Choice, choice_from_options
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files import write_whole
from edge_arseg.tuning.bundles import Bundles, bundles_from_paths
from edge_arseg.tuning.config_file import toml_from_setting
from edge_arseg.tuning.front import Verdict, verdict_of, write_front
from edge_arseg.tuning.options import TuneOptions, usual_trials
from edge_arseg.tuning.request import request_of_options
from edge_arseg.tuning.search.proposal import Proposals
from edge_arseg.tuning.search.setting import MOTIONS, Setting
from edge_arseg.tuning.search.space import Space, space_from_options
from edge_arseg.tuning.study import Study, open_study
from edge_arseg.tuning.trials.planning import planned_record, run_of_setting
from edge_arseg.tuning.trials.scoring import FrameScores
from edge_arseg.tuning.trials.trial import Bench, Tried, try_setting
from edge_arseg.video.reader import open_video
from edge_arseg.video.uri import source_from_uri

FRONT, CHOSEN = "front.json", "chosen.toml"

Told = Callable[[int, int, Setting, str, bool], None]
"""Called with trials that were begun, trials at most, the setting, what is being done or was found, and whether that is
the end of the trial."""


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
    bench = bench_of_options(options, space, first, frames)
    request = request_of_options(options, given.digests, bench.labelled)
    objectives = len(options.limits.bounds)
    with open_study(folder, space, request, objectives) as study:
        try:
            proposals = Proposals(space)
            most = options.trials or usual_trials(len(space.settings))
            complete = _search(study, proposals, most, given, bench, options, told)
        except SinkError as error:
            raise SinkError(f"{error}; the trials before it are kept: make room, and type the same again") from error
        tried, failed = study.tried(), study.failed()
        seen = [(one.setting, one.outcome) for one in tried.values()]
        settings = [setting for setting, _ in seen]
        expected = dict(zip(settings, proposals.expected(seen, options.limits), strict=True))
        verdict = verdict_of(tried, options.limits, expected)
        if verdict is None:
            reasons = "\n".join(f"  {setting}: {why}" for setting, why in failed.items())
            raise EnvironmentUnfitError(f"no setting came to its end\n{reasons}" if reasons else "no setting was tried")
        return _written(study, given, bench, options, folder, tried, failed, verdict, len(space.settings), complete)


def motions_of(clip: str, stream: int | None) -> tuple[str, ...]:
    """Return the sources of motion that a clip has.

    Raises:
        SourceError: it cannot be read.
    """
    source = source_from_uri(clip)
    if source.live:
        raise OptionError(f"{source.label}: a live source never gives the same frames twice; record it to a file first")
    try:
        with open_video(clip, motion="codec", stream=stream) as reader:
            next(iter(reader), None)
        return MOTIONS
    except MotionError:
        return tuple(motion for motion in MOTIONS if motion != "codec")


def bench_of_options(options: TuneOptions, space: Space, first: Bundle, frames: ClipFrames | None = None) -> Bench:
    """Return what the settings of a space are measured on; ``first`` names the classes, ``frames`` are of the clip.

    Raises:
        DataError, SourceError, OptionError: see ``labelled_clip``.
    """
    intervals = sorted({setting.interval for setting in space.settings})
    phases = {interval: _phases(options.phases, interval) for interval in intervals}
    last = max(one[-1] for one in phases.values())
    classes = len(first.manifest.model.classes)
    return Bench(
        labelled_clip(
            options.clip,
            options.labels,
            classes,
            first_frame=last,
            limit=options.limit,
            stream=options.stream,
            frames=frames,
        ),
        options.labels.name,
        phases.__getitem__,
        last,
        options.frames,
        options.limits,
        dict(space.axes),
    )


def _phases(text: str, interval: int) -> tuple[int, ...]:
    """Return the phases of an interval: those that were named, as far as they lie below it."""
    if text.strip() == "all":
        return phases_from_text(text, interval)
    named = phases_from_text(text, 1 << 30)
    return tuple(phase for phase in named if phase < interval) or (0,)


def _search(
    study: Study,
    proposals: Proposals,
    most: int,
    given: Bundles,
    bench: Bench,
    options: TuneOptions,
    told: Told,
) -> bool:
    """Try settings; say whether nothing better is to be expected."""
    while True:
        tried = {number: one for number, one in study.tried().items() if one.stands(options.limits)}
        failed = study.failed()
        done = {one.setting for one in tried.values()} | set(failed)
        seen = [(one.setting, one.outcome) for one in tried.values()]
        setting = proposals.next(list(done), seen, options.limits)
        if setting is None or len(done) >= most:
            return setting is None
        number = study.begin(setting)

        def say(what: str, end: bool = False, setting: Setting = setting, count: int = len(done) + 1) -> None:
            told(count, most, setting, what, end)

        try:
            choice = choice_of(setting, given, options)
            whole = [one for one in tried.values() if one.pruned is None]
            path = study.record(number)
            found = try_setting(setting, choice, bench, path, whole, _known(setting, tried), say)
        except (MemoryExhaustedError, SinkError, SourceError):
            study.fail(None)
            raise
        except ArsegError as error:
            if isinstance(error, EnvironmentUnfitError) and "--max-j-per-frame" in str(error):
                study.fail(None)
                raise
            study.fail(str(error).splitlines()[0])
            say(f"cannot run here: {str(error).splitlines()[0]}", True)
            continue
        except BaseException:
            study.fail(None)
            raise
        study.end(number, found, options.limits.values(found.outcome))
        say(_result(found), True)


def choice_of(setting: Setting, given: Bundles, options: TuneOptions) -> Choice:
    """Return bundle and engines of a setting, proved on the golden frames.

    Raises:
        ArsegError: they cannot run here.
    """
    engines = EngineOptions(options.fusion, setting.backend, setting.threads, options.unchecked)
    return choice_from_options(given.bundle(setting.bundle), (setting.mode,), engines)


def _known(setting: Setting, tried: Mapping[int, Tried]) -> FrameScores | None:
    """Return the scores of a setting that gives the same class maps: all but threads is alike.

    Keyframes in the background count when they are there, and how soon that is depends on threads.
    """
    if in_background(setting.keyframes):
        return None
    alike = (
        one for one in tried.values() if one.pruned is None and replace(one.setting, threads=setting.threads) == setting
    )
    return next((one.scores for one in alike), None)


def _result(found: Tried) -> str:
    outcome = found.outcome
    text = f"{outcome.mean_ms:.1f} ms"
    if outcome.miou == outcome.miou:
        text += f", mIoU {outcome.miou:.1f}"
    return text if found.pruned is None else f"{text}; given up: {found.pruned}"


def _written(
    study: Study,
    given: Bundles,
    bench: Bench,
    options: TuneOptions,
    folder: Path,
    tried: Mapping[int, Tried],
    failed: Mapping[Setting, str],
    verdict: Verdict,
    settings: int,
    complete: bool,
) -> Tuned:
    """Write the front, and the chosen setting where one holds the limits."""
    choices = {number: choice_of(tried[number].setting, given, options) for number in verdict.front}
    runs = [
        run_of_setting(tried[number].setting, choices[number], str(bench.labelled.clip), options.stream)
        for number in verdict.front
    ]
    planned = planned_record(f"tune-{folder.name}", runs, bench.labels, bench.frames, bench.tried)
    names = [str(tried[number].setting) for number in verdict.front]
    path = folder / FRONT
    record = write_front(planned, [study.record(number) for number in verdict.front], names, path)
    config = folder / CHOSEN
    if verdict.chosen is None:
        config.unlink(missing_ok=True)
        return Tuned(tried, failed, verdict, record, path, None, settings, complete)
    one, choice = tried[verdict.chosen], choices[verdict.chosen]
    notes = [
        f"{one.setting}: mIoU {one.outcome.miou:.1f} %, {one.outcome.mean_ms:.1f} ms a frame (mean over a GOP)",
        f"on {record.conditions.cpu}, {record.taken[:10]}, {bench.labels} of {source_from_uri(options.clip).name}",
    ]
    text = toml_from_setting(one.setting, choice.bundle, choice.options, notes)
    try:
        write_whole(config, text.encode(), sync=True)
    except OSError as error:
        raise SinkError(f"cannot write {config}: {advice_on(error, config)}") from error
    return Tuned(tried, failed, verdict, record, path, config, settings, complete)
