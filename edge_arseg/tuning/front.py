"""The front of what was tried, and the setting that is chosen of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_arseg.bench.record_files.writing import (
    begin_record,
    end_record,
    forget,
    frames_journal,
    put_back,
    sensors_journal,
)
from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.tuning.search.limits import Limits, near_front_of
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.tuning.trials.planning import named_runs
from edge_arseg.tuning.trials.timing import entries_of_run, journal_of
from edge_arseg.tuning.trials.tried import Tried

SAME_TIME = 0.02
"""Share by which two timings of a setting differ: only what is faster by more keeps another setting off the front."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the trials say.

    Attributes:
        front: trials that no other is better than in everything, by more than timings differ, by what was measured or
            by what all trials together say; by number, the fastest first.
        chosen: number of the trial that is taken: of those that hold the limits the one with the highest mIoU, or the
            fastest where time has no limit; ``None``: none holds them.
        nearest: number of the trial that passes the limits by least.
    """

    front: tuple[int, ...]
    chosen: int | None
    nearest: int


def front_by_both(values: list[tuple[float, ...]], expected: list[tuple[float, ...]]) -> list[bool]:
    """Say of each whether it is on the front, by what was measured or by what all trials together say.

    Args:
        values: see ``Limits.values``, of what was measured.
        expected: the same of what settings are taken to come to.
    """
    fronts = (near_front_of(one, SAME_TIME) for one in (values, expected))
    return [measured or taken for measured, taken in zip(*fronts, strict=True)]


def verdict_of(
    tried: Mapping[int, Tried], limits: Limits, expected: Mapping[Setting, tuple[float, ...]]
) -> Verdict | None:
    """Return what trials that came to their end say; ``None`` where none did.

    Args:
        tried: by number.
        limits: that count.
        expected: what settings that were tried are taken to come to; see ``Proposals.expected``.
    """
    whole = {number: one for number, one in tried.items() if one.given_up is None}
    if not whole:
        return None
    values = {number: limits.values(one.outcome) for number, one in whole.items()}
    taken = [expected.get(one.setting, values[number]) for number, one in whole.items()]
    on = front_by_both(list(values.values()), taken)
    front = [number for number, yes in zip(values, on, strict=True) if yes]
    front.sort(key=lambda number: values[number][1])
    holding = [number for number in front if limits.hold(whole[number].outcome)]
    place = 0 if limits.mean_ms is not None or limits.miou is None else 1
    chosen = min(holding, key=lambda number: (values[number][place], values[number]), default=None)
    nearest = min(whole, key=lambda number: (limits.excess(whole[number].outcome), values[number]))
    return Verdict(tuple(front), chosen, nearest)


def write_front(planned: BenchRecord, trials: Sequence[Path], names: Sequence[str], path: Path) -> BenchRecord:
    """Write the record of the front: the runs of the trials, with all their samples.

    Args:
        planned: its runs are those of the trials.
        trials: records of the trials.
        names: of the runs.
        path: of the record; an old one is replaced when the new one is whole.

    Raises:
        DataError: the record of a trial cannot be read.
        SinkError: it cannot be written.
    """
    frames, readings, clock = [], [], 0.0
    for number, trial in enumerate(trials):
        more, read, clock = entries_of_run(trial, number, clock)
        frames += more
        readings += read
    planned = named_runs(planned, names)
    aside = begin_record(planned, path)
    try:
        journal_of(frames_journal(path), frames)
        journal_of(sensors_journal(path), readings)
        whole, _ = end_record(planned, path, state="finished")
    except BaseException:
        put_back(path, aside)
        raise
    forget(aside)
    return whole
