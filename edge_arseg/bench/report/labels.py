"""Short names for the page: a run by what it differs in from the others, a record by a letter."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.run import BenchRun

MODES = {"ar": "AR", "hr": "HR-only", "lr": "LR-only"}
PARTS: tuple[Callable[[BenchRun], str], ...] = (
    lambda run: run.settings.precision,
    lambda run: run.settings.backend,
    lambda run: f"LR {run.settings.lr_scale:g}",
    lambda run: f"GOP {run.settings.interval}",
    lambda run: f"motion {run.settings.motion}",
    lambda run: f"fusion {run.settings.fusion}",
    lambda run: run.settings.threads_in_words,
    lambda run: f"{run.settings.rate:g} fps" if run.settings.rate else "closed loop",
)
"""What may stand behind the mode, in this order, where the runs of one mode differ in it."""


def renamed_records(records: Sequence[BenchRecord]) -> list[BenchRecord]:
    """Return the records with runs like ``AR int8 openvino``; several records are called ``A``, ``B``, ...

    Runs that nothing in ``PARTS`` tells apart get the bundle's name, and if that is the same too, keep their own.
    """
    runs = [run for record in records for run in record.runs]
    modes = [[run for run in runs if run.settings.mode == mode] for mode in ("ar", "hr", "lr")]
    parts = [part for part in PARTS if any(len({part(run) for run in own}) > 1 for own in modes)]
    found = []
    for number, record in enumerate(records):
        names = [" ".join([MODES[run.settings.mode], *(part(run) for part in parts)]) for run in record.runs]
        if len(set(names)) < len(names):
            names = [f"{name} {run.bundle.name}" for name, run in zip(names, record.runs, strict=True)]
        if len(set(names)) < len(names):
            names = [run.name for run in record.runs]
        short = tuple(replace(run, name=name) for run, name in zip(record.runs, names, strict=True))
        found.append(replace(record, runs=short, name=letter(number) if len(records) > 1 else record.name))
    return found


def letter(number: int) -> str:
    """Return A, B, ... Z, A1, B1, ..."""
    turn, place = divmod(number, 26)
    return chr(ord("A") + place) + (str(turn) if turn else "")
