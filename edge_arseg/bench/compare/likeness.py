"""Whether two records were taken under like conditions, and which of their runs belong together."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from typing import Any

from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.run import BenchRun
from edge_arseg.errors import DataError, OptionError

BUILD = "edge-arseg"
"""The package whose versions are compared: no condition."""

CONDITIONS = ("machine", "cpu", "cpu_features", "cores", "memory_mb", "system", "python")
BOARD = ("target", "model", "jetpack", "l4t", "gpu", "power_mode", "governor", "pinned", "container")
SETTINGS = ("source", "live", "workload")
SCORED = ("source", "frames", "phases")
"""What scores hold for, of each run that both records have scored."""


@dataclass(frozen=True, slots=True)
class Unlike:
    """A condition by its name in the record, like ``conditions.cpu``, and what each record says of it."""

    name: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.name}: {_told(self.before)} against {_told(self.after)}"


def unlike_conditions(before: BenchRecord, after: BenchRecord) -> list[Unlike]:
    """Return the conditions in which two records differ; versions of this package are what is compared, and are none.

    The labels count where a run of both was scored. Memory may differ by a hundredth: what the kernel keeps for itself
    changes from start to start.
    """
    found = []
    for name, old, new in _conditions(before, after):
        same = old == new
        if name == "conditions.memory_mb" and old and new:
            same = abs(old - new) <= 0.01 * max(old, new)
        if not same:
            found.append(Unlike(name, old, new))
    return list(dict.fromkeys([*found, *_unlike_scores(before, after)]))


def refuse_unlike(before: BenchRecord, after: BenchRecord, allowed: Collection[str] = ()) -> list[Unlike]:
    """Return the unlike conditions that were allowed.

    Args:
        before, after: records.
        allowed: names, like ``conditions.packages.onnxruntime``; a name stands for everything under it.

    Raises:
        DataError: there are others; all of them in one message.
    """
    unlike = unlike_conditions(before, after)
    refused = [
        one for one in unlike if not any(one.name == name or one.name.startswith(f"{name}.") for name in allowed)
    ]
    if refused:
        lines = "\n".join(f"  {one}" for one in refused)
        raise DataError(
            f"{before.name} and {after.name} were taken under unlike conditions, so their numbers cannot be compared\n"
            f"{lines}\nMeasure both under the same conditions, or type --allow {refused[0].name}"
        )
    return unlike


def paired_runs(before: BenchRecord, after: BenchRecord) -> list[tuple[int, int]]:
    """Return the indices of runs with the same bundle name and settings, in the order of the first record.

    Raises:
        DataError: there are none.
    """
    pairs = _pairs(before, after)
    if not pairs:
        raise DataError(
            f"no run of {before.name} has the same bundle and settings as one of {after.name}: "
            f"{', '.join(run.name for run in before.runs)} seen, {', '.join(run.name for run in after.runs)} seen"
            f"{_difference(before, after)}; measure both with the same options of bench"
        )
    return pairs


def run_named(record: BenchRecord, name: str) -> int:
    """Return the index of a run.

    Raises:
        OptionError: there is none of that name.
    """
    for index, run in enumerate(record.runs):
        if run.name == name:
            return index
    raise OptionError(
        f"--between: no run of {record.name} is called {name!r}; known: {'; '.join(run.name for run in record.runs)}"
    )


def _difference(before: BenchRecord, after: BenchRecord) -> str:
    """Say in which settings the first two runs of one name differ; nothing where no two have the same name."""
    named = {run.name: run for run in reversed(after.runs)}
    for run in before.runs:
        if (other := named.get(run.name)) is not None:
            known = [field.name for field in fields(run.settings)]
            pairs = [(name, getattr(run.settings, name), getattr(other.settings, name)) for name in known]
            pairs += [(name, getattr(run.bundle, name), getattr(other.bundle, name)) for name in ("height", "width")]
            said = [f"{name} {old} and {new}" for name, old, new in pairs if old != new]
            return f"; {run.name} differs in {', '.join(said)}" if said else ""
    return ""


def _pairs(before: BenchRecord, after: BenchRecord) -> list[tuple[int, int]]:
    """Pair runs of one key, each once: those with the same bundle first, then in their order."""
    left = list(range(len(after.runs)))
    found: dict[int, int] = {}
    for same_bundle in (True, False):
        for index, run in enumerate(before.runs):
            alike = [
                other
                for other in left
                if _key(after.runs[other]) == _key(run)
                and (not same_bundle or after.runs[other].bundle.digest == run.bundle.digest)
            ]
            if index not in found and alike:
                found[index] = alike[0]
                left.remove(alike[0])
    return sorted(found.items())


def _unlike_scores(before: BenchRecord, after: BenchRecord) -> Iterator[Unlike]:
    """Yield in what the labels differ that two scores of the same run were taken on."""
    pairs = [(before.runs[a].accuracy, after.runs[b].accuracy) for a, b in _pairs(before, after)]
    scored = [(old, new) for old, new in pairs if old is not None and new is not None]
    labels = before.settings.labels, after.settings.labels
    if scored and None not in labels and labels[0] != labels[1]:
        yield Unlike("settings.labels", *labels)
    for old, new in scored:
        for name in SCORED:
            if getattr(old, name) != getattr(new, name):
                yield Unlike(f"accuracy.{name}", getattr(old, name), getattr(new, name))


def _key(run: BenchRun) -> tuple[Any, ...]:
    return (run.bundle.name, run.bundle.height, run.bundle.width, run.settings)


def _conditions(before: BenchRecord, after: BenchRecord) -> Iterator[tuple[str, Any, Any]]:
    for group, names in (("conditions", CONDITIONS), ("board", BOARD), ("settings", SETTINGS)):
        old, new = getattr(before, group), getattr(after, group)
        known = {field.name for field in fields(old)}
        for name in names:
            if name in known:
                yield f"{group}.{name}", getattr(old, name), getattr(new, name)
    packages = (before.conditions.packages, after.conditions.packages)
    for name in sorted({*packages[0], *packages[1]} - {BUILD}):
        yield f"conditions.packages.{name}", packages[0].get(name), packages[1].get(name)


def _told(value: Any) -> str:
    if value is None:
        return "nothing"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
