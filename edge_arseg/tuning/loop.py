"""The loop of a search: setting after setting is proposed, tried, and kept in the study."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from edge_arseg.errors import ArsegError, MemoryExhaustedError, SinkError, SourceError
from edge_arseg.motion.policies.naming import in_background
from edge_arseg.tuning.search.proposal import Proposals
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.tuning.study import Study
from edge_arseg.tuning.task import Task
from edge_arseg.tuning.trials.scoring import FrameScores
from edge_arseg.tuning.trials.timing import NoSensorError
from edge_arseg.tuning.trials.trial import try_setting
from edge_arseg.tuning.trials.tried import Tried

Told = Callable[[int, int, Setting, str, bool], None]
"""Called with trials that were begun, trials at most, the setting, what is being done or was found, and whether that is
the end of the trial."""

_OF_ALL = (MemoryExhaustedError, SinkError, SourceError, NoSensorError)
"""Errors that no other setting would end without."""


def search_settings(task: Task, study: Study, proposals: Proposals, most: int, told: Told) -> bool:
    """Try settings until nothing better is to be expected, or ``most`` trials were made, earlier ones among them.

    Returns:
        Whether nothing better is to be expected.

    Raises:
        SinkError, SourceError, MemoryExhaustedError, NoSensorError: no setting can be tried.
    """
    limits = task.options.limits
    while True:
        tried = {number: one for number, one in study.tried().items() if one.stands(limits)}
        done = {one.setting for one in tried.values()} | set(study.failed())
        seen = [(one.setting, one.outcome) for one in tried.values()]
        setting = proposals.next(list(done), seen, limits)
        if setting is None or len(done) >= most:
            return setting is None

        def say(what: str, end: bool = False, setting: Setting = setting, count: int = len(done) + 1) -> None:
            told(count, most, setting, what, end)

        _try(task, study, setting, tried, say)


def _try(task: Task, study: Study, setting: Setting, tried: Mapping[int, Tried], say: Callable[..., None]) -> None:
    """Try one setting, and keep what it came to; one that cannot run here is kept as such."""
    number = study.begin(setting)
    whole = [one for one in tried.values() if one.given_up is None]
    try:
        choice = task.choice(setting)
        found = try_setting(setting, choice, task.bench, study.record(number), whole, _known(setting, whole), say)
    except BaseException as error:
        if not isinstance(error, ArsegError) or isinstance(error, _OF_ALL):
            study.fail(None)
            raise
        why = str(error).splitlines()[0]
        study.fail(why)
        say(f"cannot run here: {why}", True)
        return
    study.end(number, found, task.options.limits.values(found.outcome))
    say(_result(found), True)


def _known(setting: Setting, whole: list[Tried]) -> FrameScores | None:
    """Return the scores of a setting that gives the same class maps: all but threads is alike.

    Keyframes in the background count when they are there, and how soon that is depends on threads.
    """
    if in_background(setting.keyframes):
        return None
    alike = (one for one in whole if replace(one.setting, threads=setting.threads) == setting)
    return next((one.scores for one in alike), None)


def _result(found: Tried) -> str:
    outcome = found.outcome
    text = f"{outcome.mean_ms:.1f} ms"
    if outcome.miou == outcome.miou:
        text += f", mIoU {outcome.miou:.1f}"
    return text if found.given_up is None else f"{text}; given up: {found.given_up}"
