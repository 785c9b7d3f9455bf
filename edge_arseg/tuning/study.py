"""What was tried, in a folder: an Optuna study in a file, and the scores of every trial beside it."""

import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.errors import DataError, EnvironmentUnfitError, OptionError, SinkError
from edge_arseg.installation import install_extra
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.lock import lock_on
from edge_arseg.storage.files.whole import write_whole
from edge_arseg.tuning.request import Request
from edge_arseg.tuning.search.outcome import json_from_outcome, outcome_from_json
from edge_arseg.tuning.search.setting import Setting, setting_from_params
from edge_arseg.tuning.search.space import Space
from edge_arseg.tuning.trials.scoring import FrameScores
from edge_arseg.tuning.trials.tried import Cause, GivenUp, Tried

STUDY = "study.log"
NAME = "edge-arseg tune"
REQUEST, OUTCOME, FAILED, REVISION = "request", "outcome", "failed", "revision"
GIVEN_UP, CAUSE = "pruned", "cause"
"""Why a setting was given up, in words, and for what; studies of before say the first alone."""


def optuna() -> Any:
    """Return Optuna, told to be silent.

    Raises:
        EnvironmentUnfitError: it is missing.
    """
    try:
        import optuna as library
    except ImportError as error:
        raise EnvironmentUnfitError(
            f"tune needs optuna, which is not installed; type: {install_extra('tune')}"
        ) from error
    library.logging.set_verbosity(library.logging.WARNING)
    return library


@contextmanager
def open_study(folder: Path, space: Space, request: Request, objectives: int) -> "Iterator[Study]":
    """Open the study of a folder, a new one where there is none, alone.

    One that holds nothing at the end, as no setting can run here, goes again: the next call may be another one.

    Args:
        folder: of the study; made where it is missing.
        space: settings that can be tried.
        request: what the trials hold for: trials of another request are refused.
        objectives: how many values a trial has.

    Raises:
        OptionError: the folder holds a study of something else, or is no such folder.
        DataError: the study cannot be read.
        SinkError: the folder cannot be written, or another process tunes into it.
        EnvironmentUnfitError: Optuna is missing.
    """
    library = optuna()
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"{folder}: is a file, expected a folder for the study; choose another one with -o")
    new = not (folder / STUDY).exists()
    if new and folder.exists() and any(folder.iterdir()):
        raise OptionError(f"{folder}: is not empty and holds no study; choose another folder with -o")
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = lock_on(folder)
    except OSError as error:
        raise SinkError(f"cannot write {folder}: {advice_on(error, folder, option='-o')}") from error
    if lock is None:
        raise SinkError(f"{folder}: another process tunes into it; wait for it, or choose another place with -o")
    try:
        try:
            study = Study(library, folder, space, request, objectives)
        except SinkError:
            if new:
                _forget(folder, made=made)
            raise
        try:
            yield study
        finally:
            if study.empty:
                _forget(folder, made=made)
    finally:
        lock.release()


def _forget(folder: Path, *, made: bool) -> None:
    """Delete a study that nothing was tried in, and the folder if it was made for it; not what else lies there."""
    trials = folder / "trials"
    with suppress(OSError):
        if {path.name for path in folder.iterdir()} <= {STUDY, trials.name} and not any(trials.glob("*")):
            (folder / STUDY).unlink(missing_ok=True)
            if trials.exists():
                trials.rmdir()
            if made:
                folder.rmdir()


class Study:
    """A study that is open; see ``open_study``."""

    def __init__(self, library: Any, folder: Path, space: Space, request: Request, objectives: int) -> None:
        self._folder, self._states = folder, library.trial.TrialState
        self._open: Any = None  # the trial that was begun last
        distribution = library.distributions.CategoricalDistribution
        self._distributions = {
            axis: distribution(tuple(dict.fromkeys(one.params[axis] for one in space.settings))) for axis in space.axes
        }
        try:
            backend = library.storages.journal.JournalFileBackend(str(folder / STUDY))
            self._study = library.create_study(
                storage=library.storages.JournalStorage(backend),
                study_name=NAME,
                load_if_exists=True,
                directions=["maximize", *["minimize"] * (objectives - 1)],
            )
            old = self._study.user_attrs.get(REQUEST)
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{folder / STUDY}: cannot be read: {error}; choose another folder with -o") from error
        except OSError as error:
            raise SinkError(f"cannot write {folder / STUDY}: {advice_on(error, folder, option='-o')}") from error
        row = {**request.row(), REVISION: 2, "objectives": objectives, "axes": dict(space.axes)}
        wanted = json.loads(json.dumps(row))
        if old is None:
            with self._whole_lines():
                self._study.set_user_attr(REQUEST, wanted)
        elif REVISION not in old:
            raise OptionError(
                f"{folder}: was tuned by an older edge-arseg, which kept less of a trial than the search needs now; "
                "choose another folder with -o"
            )
        elif old != wanted:
            other = sorted(key for key in {*old, *wanted} if old.get(key) != wanted.get(key))
            raise OptionError(
                f"{folder}: was tuned with other {', '.join(request.told(other))}; type the same again to continue "
                "it, or choose another folder with -o"
            )
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state == self._states.RUNNING:  # a process that was killed
                with self._whole_lines():
                    self._study.tell(trial.number, state=self._states.FAIL)

    @property
    def empty(self) -> bool:
        """Whether no setting was measured yet."""
        return not any(OUTCOME in trial.user_attrs for trial in self._study.get_trials(deepcopy=False))

    def begin(self, setting: Setting) -> int:
        """Note that a setting is tried from now on; return the number of the trial.

        Raises:
            SinkError: it cannot be written.
        """
        with self._whole_lines():
            self._study.enqueue_trial(setting.params)
            self._open = self._study.ask(self._distributions)
        return int(self._open.number)

    def end(self, number: int, tried: Tried, values: tuple[float, ...]) -> None:
        """Keep what the trial came to that was begun last.

        Args:
            number: of the trial.
            tried: what it came to.
            values: the smaller the better, mIoU first with its sign turned.

        Raises:
            SinkError: it cannot be written.
        """
        if tried.scores is not None:
            data = io.BytesIO()
            scores = {name: getattr(tried.scores, name) for name in ("frames", "distances", "confusions")}
            np.savez_compressed(data, **scores)
            try:
                write_whole(self._scores(number), data.getvalue(), sync=True)
            except OSError as error:
                place = self._scores(number)
                raise SinkError(f"cannot write {place}: {advice_on(error, place)}") from error
        with self._whole_lines():
            self._open.set_user_attr(OUTCOME, json_from_outcome(tried.outcome))
            if tried.given_up is not None:
                self._open.set_user_attr(GIVEN_UP, tried.given_up.why)
                self._open.set_user_attr(CAUSE, tried.given_up.cause.value)
                self._study.tell(self._open, state=self._states.PRUNED)
            else:
                self._study.tell(self._open, [-values[0], *values[1:]])

    def fail(self, why: str | None) -> None:
        """Note that the trial that was begun did not come to its end.

        Args:
            why: the setting cannot run here, and is not tried again; ``None``: it was interrupted, which is noted the
                next time too.

        Raises:
            SinkError: it cannot be written.
        """
        with suppress(SinkError) if why is None else nullcontext(), self._whole_lines():
            if why is not None:
                self._open.set_user_attr(FAILED, why)
            self._study.tell(self._open, state=self._states.FAIL)

    def tried(self) -> dict[int, Tried]:
        """Return what every trial came to that was measured, by its number."""
        return {
            trial.number: Tried(
                setting_from_params(trial.params),
                outcome_from_json(outcome),
                _given_up(trial.user_attrs),
                self._read_scores(trial.number),
            )
            for trial in self._study.get_trials(deepcopy=False)
            if trial.state.is_finished() and (outcome := trial.user_attrs.get(OUTCOME)) is not None
        }

    def failed(self) -> dict[Setting, str]:
        """Return the settings that cannot run here, and why."""
        return {
            setting_from_params(trial.params): trial.user_attrs[FAILED]
            for trial in self._study.get_trials(deepcopy=False)
            if FAILED in trial.user_attrs
        }

    def record(self, number: int) -> Path:
        """Return where the record of a trial is."""
        return self._folder / "trials" / f"{number:04d}.json"

    @contextmanager
    def _whole_lines(self) -> Iterator[None]:
        """Take back what was written where not all of it can be: a line in parts is no study any more."""
        path = self._folder / STUDY
        size = path.stat().st_size
        try:
            yield
        except OSError as error:
            with suppress(OSError):
                os.truncate(path, size)
            raise SinkError(f"cannot write {path}: {advice_on(error, path, option='-o')}") from error

    def _scores(self, number: int) -> Path:
        return self._folder / "trials" / f"{number:04d}.scores.npz"

    def _read_scores(self, number: int) -> FrameScores | None:
        file = self._scores(number)
        if not file.exists():
            return None
        try:
            with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as data:
                return FrameScores(data["frames"], data["distances"], data["confusions"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DataError(f"{file}: cannot be read: {error}; choose another folder with -o") from error


def _given_up(told: Mapping[str, Any]) -> GivenUp | None:
    """Read why a setting was given up; where it is not known for what, it may be tried again with other limits."""
    return GivenUp(Cause(told.get(CAUSE, Cause.LIMIT)), told[GIVEN_UP]) if GIVEN_UP in told else None
