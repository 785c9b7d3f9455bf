"""How shipped bundles are made from the data: a TOML file of steps, each of which leaves one result."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_arseg.errors import DataError
from edge_arseg.storage.toml import data_from_toml
from tools.zoo.factors import Factors

_EXAMPLE = '[[step]]\ncommand = "train hr {data}/camvid -o hr"\nresult = "hr/best.safetensors"'


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        result: file that the step leaves, below the folder that is built in.
        command: arguments of ``edge-arseg``, ``{data}`` in the place of the data's folder; empty where ``factors`` is.
        until: step of a training at which it is stopped, once that is scored; ``None``: at its end.
        factors: that are multiplied into a checkpoint; ``None`` where a command is run.
        checkpoint: that they are multiplied into.
    """

    result: str
    command: str = ""
    until: int | None = None
    factors: Factors | None = None
    checkpoint: str = ""

    @property
    def name(self) -> str:
        """What the step makes, for people."""
        return self.result.partition("/")[0]

    @property
    def continues(self) -> bool:
        """Whether the command goes on with what it left: trainings and pairs do."""
        return self.command.startswith("train ")

    def arguments(self, data: Path, folder: Path) -> list[str]:
        """Return the arguments of ``edge-arseg``; a training that was begun in ``folder`` is continued."""
        words = [word.replace("{data}", str(data)) for word in shlex.split(self.command)]
        if words[0] == "train" and words[1] in ("hr", "lr") and (folder / self.name / "settings.json").is_file():
            return [*words[:2], "--resume", self.name]
        return words


def steps_from_file(path: Path) -> list[Step]:
    """Read a recipe.

    Raises:
        DataError: it cannot be read, or faults in it; all of them in one message.
    """
    try:
        rows = data_from_toml(path.read_text(encoding="utf-8")).get("step")
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: no recipe ({error}); expected steps like\n{_EXAMPLE}") from error
    if not isinstance(rows, list) or not rows:
        raise DataError(f"{path}: no step; expected steps like\n{_EXAMPLE}")
    steps, faults = [], []
    for number, row in enumerate(rows, 1):
        try:
            steps.append(_step(row))
        except (TypeError, ValueError) as error:
            faults.append(f"  step {number}: {error}")
    results = [step.result for step in steps]
    faults += [f"  {result} is the result of two steps" for result in sorted(set(results)) if results.count(result) > 1]
    if faults:
        raise DataError("\n".join([f"{path}: {len(faults)} faults; expected steps like\n{_EXAMPLE}", *faults]))
    return steps


def _step(row: dict[str, Any]) -> Step:
    factors = dict(row.get("factors", {}))
    values = {key: value for key, value in row.items() if key != "factors"}
    if bool(values.get("command")) == bool(factors):
        raise ValueError("expected either a command or factors")
    if factors:
        values |= {"checkpoint": factors.pop("checkpoint", ""), "factors": Factors(**factors)}
    step = Step(**values)
    if Path(step.result).is_absolute() or ".." in Path(step.result).parts:
        raise ValueError(f"result {step.result!r} lies outside the folder that is built in")
    return step
