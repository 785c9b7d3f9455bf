"""The folder of a training run: settings, state to continue, log, curves, best weights. None is ever half-written."""

import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from edge_arseg.errors import DataError, OptionError, SinkError
from edge_arseg.network.checkpoint.safetensors_file import BEST as BEST
from edge_arseg.network.checkpoint.safetensors_file import safetensors_from_network
from edge_arseg.network.network import Network
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.whole import wait_for_disk, whole_file, write_whole
from edge_arseg.training.run.step_precision import AUTO, BFLOAT16, FLOAT32, StepTimes

STATE = "state.pt"
LOG = "log.jsonl"
SETTINGS = "settings.json"
LAST = "last.safetensors"
CURVES = "curves.png"
STEP_TIMES = "step_seconds"
"""Entry of the settings: seconds a step in each precision, where they were timed."""

TYPED = "typed"
"""Entry of the settings: what was typed to start the run."""
LENGTHENED = "steps_before"
"""Entry of the settings: the numbers of steps that the run was to have before it was lengthened."""

DATA, TEACHER, BEGUN_FROM, SCORED_PAIRS = "data_sha256", "teacher_sha256", "begun_from", "scored_pairs"
"""Entries of the settings that older runs lack: what is trained on and with, and how a run begins."""


class RunFolder:
    """One run. ``create`` starts one, ``resume`` continues one.

    Attributes:
        path: the folder.
    """

    def __init__(self, path: Path):
        self.path = path

    @classmethod
    def create(cls, path: Path, settings: Mapping[str, Any], *, typed: Mapping[str, Any] | None = None) -> "RunFolder":
        """Make the folder and write its settings, and beside them what was typed to start the run.

        Raises:
            OptionError: there is a run in it already.
            SinkError: it cannot be written, or files of the same names are in it.
        """
        if (path / SETTINGS).exists():
            raise OptionError(f"{path}: holds a run already; continue it: --resume, or name another folder with -o")
        if there := [name for name in (STATE, LOG, BEST, LAST, CURVES) if (path / name).exists()]:
            raise SinkError(f"{path}: holds {', '.join(there)} of something else; name an empty folder with -o")
        folder = cls(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            write_whole(path / SETTINGS, _text({**settings, **({TYPED: typed} if typed else {})}))
        except OSError as error:
            raise SinkError(f"cannot write {path}: {advice_on(error, path, option='-o')}") from error
        return folder

    @classmethod
    def resume(cls, path: Path, settings: Mapping[str, Any]) -> "RunFolder":
        """Open the folder of a run with the same settings, but for a larger number of steps: that is kept.

        Raises:
            OptionError: no run in it, or one with other settings; all differences in one message.
            SinkError: the new number of steps cannot be written.
        """
        folder = cls(path)
        try:
            old = folder.settings()
        except (OSError, ValueError, RecursionError) as error:
            raise OptionError(f"{path}: no run to continue ({error}); leave out --resume to start one") from error
        new = json.loads(json.dumps(settings))
        kept = {name: old.pop(name) for name in (STEP_TIMES, TYPED, LENGTHENED) if name in old}
        before, now = old.get("steps"), new.get("steps")
        longer = isinstance(before, int) and isinstance(now, int) and now > before
        if longer:
            old["steps"] = now
        if new.get("precision") == AUTO:
            new["precision"] = old.get("precision")
        for name in (DATA, TEACHER, BEGUN_FROM, SCORED_PAIRS):
            if name not in old:
                new.pop(name, None)
        names = sorted({*old, *new})
        faults = [f"{n}: {old.get(n)} then, {new.get(n)} now" for n in names if old.get(n) != new.get(n)]
        if faults:
            lines = "\n  ".join(faults)
            raise OptionError(f"{path}: started with other settings; repeat them, or start a new run\n  {lines}")
        if longer:
            history = [*kept.pop(LENGTHENED, []), before]
            folder._write_settings({**old, **kept, LENGTHENED: history})
        return folder

    def settings(self) -> dict[str, Any]:
        """Return the settings of the run, and what was settled since.

        Raises:
            OSError, ValueError: there are none, or they are damaged.
        """
        content = json.loads((self.path / SETTINGS).read_text())
        if not isinstance(content, dict):
            raise ValueError(f"a {type(content).__name__} seen in {SETTINGS}, expected an object")
        if "bf16" in content:  # how runs of earlier versions say it
            content["precision"] = BFLOAT16 if content.pop("bf16") else FLOAT32
        return content

    def keep_precision(self, times: StepTimes) -> None:
        """Write the precision that was chosen by timing into the settings, so that the run keeps it.

        Raises:
            SinkError: it cannot be written.
        """
        self._write_settings({**self.settings(), "precision": times.faster, STEP_TIMES: dataclasses.asdict(times)})

    def _write_settings(self, content: Mapping[str, Any]) -> None:
        try:
            write_whole(self.path / SETTINGS, _text(content))
        except OSError as error:
            raise self._refusal(SETTINGS, error) from error

    def save_state(self, state: Mapping[str, Any]) -> None:
        """Write all that is needed to continue: tensors, numbers and plain containers. Old state or new, never a mix.

        Raises:
            SinkError: it cannot be written.
        """
        try:
            with whole_file(self.path / STATE) as part:
                torch.save(dict(state), part)
                wait_for_disk(part)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
            raise self._refusal(STATE, error) from error

    def load_state(self) -> dict[str, Any] | None:
        """Read what ``save_state`` wrote last; ``None`` where the run was stopped before.

        Raises:
            DataError: the file is damaged.
        """
        path = self.path / STATE
        if not path.exists():
            return None
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # a damaged pickle fails in any way
            raise DataError(f"{path}: damaged ({type(error).__name__}); start a new run") from error
        if not isinstance(state, dict):
            raise DataError(f"{path}: no state of a run seen; start a new run")
        return state

    def log(self, record: Mapping[str, Any]) -> None:
        """Append one line to the log.

        Raises:
            SinkError: it cannot be written.
        """
        try:
            with (self.path / LOG).open("a") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:
            raise self._refusal(LOG, error) from error

    def _refusal(self, name: str, error: Exception) -> SinkError:
        place = self.path / name
        return SinkError(f"cannot write {place}: {advice_on(error, place)}; {self.kept}")

    @property
    def kept(self) -> str:
        """What is said where a run ends because something cannot be written."""
        return "the run is kept as it was saved last: type the same with --resume to continue it"

    def keep_weights(self, network: Network, name: str) -> None:
        """Write a network to a file of the run, whole or not at all.

        Raises:
            SinkError: it cannot be written.
        """
        try:
            safetensors_from_network(network, self.path / name)
        except SinkError as error:
            raise SinkError(f"{error}; {self.kept}") from error

    def records(self) -> list[dict[str, Any]]:
        """Return the lines of the log; one that a kill cut off, or that says no step and loss, is left out."""
        path = self.path / LOG
        records = []
        for line in path.read_text(errors="replace").splitlines() if path.exists() else []:
            try:
                record = json.loads(line)
                if record["step"] >= 0 and record["loss"] is not None:
                    records.append(record)
            except (ValueError, RecursionError, TypeError, KeyError):
                continue
        return records

    def forget_after(self, step: int) -> None:
        """Drop the lines of the log behind ``step``: the steps that will be run again.

        Raises:
            SinkError: it cannot be written.
        """
        try:
            records = [record for record in self.records() if record["step"] <= step]
            write_whole(self.path / LOG, "".join(json.dumps(record) + "\n" for record in records).encode())
        except OSError as error:
            raise self._refusal(LOG, error) from error

    def draw_curves(self) -> None:
        """Draw the log; see ``plot_curves``.

        Raises:
            SinkError: the picture cannot be written.
        """
        try:
            plot_curves(self.records(), self.path)
        except OSError as error:
            raise self._refusal(CURVES, error) from error

    def leave_nothing(self) -> bool:
        """Remove a run of which no step was saved, so that its folder can be named again; return whether it was one."""
        if any((self.path / name).exists() for name in (STATE, BEST, LAST, CURVES)):
            return False
        for name in (LOG, SETTINGS):
            with suppress(OSError):
                (self.path / name).unlink()
        return True

    def remove_parts(self) -> None:
        """Remove what killed runs left half-written, under hidden names; no other process may write here now."""
        for part in self.path.glob(".part-*"):
            with suppress(OSError):
                part.unlink()


def _text(settings: Mapping[str, Any]) -> bytes:
    return (json.dumps(settings, indent=2) + "\n").encode()


def plot_curves(records: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """Draw the log of a run to ``curves.png`` in ``folder``.

    Args:
        records: each with ``step`` and ``loss``, and where something is held back ``miou`` (per cent).
        folder: of the run.

    Returns:
        Where the picture is.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4), layout="constrained")
    FigureCanvasAgg(figure)
    losses = figure.add_subplot()
    steps = [record["step"] for record in records]
    losses.plot(steps, [record["loss"] for record in records], color="tab:gray", label="loss")
    losses.set(xlabel="step", ylabel="loss (mean since the last score)", ylim=(0, None))
    if any("miou" in record for record in records):
        scores = losses.twinx()
        scores.plot(steps, [record["miou"] for record in records], color="tab:blue", label="mIoU")
        scores.set(ylabel="mIoU, held back (%)", ylim=(0, 100))
        scores.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=120, format="png")
    return write_whole(folder / CURVES, picture.getvalue())
