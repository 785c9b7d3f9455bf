"""What became slower from one record to the next, stage by stage, beyond what noise explains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.compare.blocks import Ratio, Times, ratio_of_times
from edge_arseg.bench.compare.likeness import Unlike
from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.run import BenchRun
from edge_arseg.bench.records.samples import BRANCHES, Samples, stage_names

STAGE_SHARE = 0.05
"""Share of its branch's frame that a stage takes at least to be judged by itself."""
CONFIDENCE = 0.99
"""That no quantity of a comparison is called slower by chance, over all of them together."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A run with its samples: one turn of ``A B A B``.

    Attributes:
        record, samples: that it is in.
        run: its index there.
    """

    record: BenchRecord
    samples: Samples
    run: int

    @property
    def facts(self) -> BenchRun:
        """What the record says of it."""
        return self.record.runs[self.run]


@dataclass(frozen=True, slots=True)
class Change:
    """One quantity before and after.

    Attributes:
        quantity: ``frame``, a stage like ``fuse``, ``j_per_frame`` or ``miou``.
        branch: ``hr``, ``lr``, or ``all``.
        unit: of ``before`` and ``after``: ``ms``, ``J`` or ``%``.
        before, after: medians; of energy and accuracy what the records say.
        percent: how much worse it became, with the bounds ``low`` and ``high``; below 0: better.
        judged: it can fail the comparison; stages that take little are shown alone.
        failed: worse by more than was allowed, and by more than noise explains.
    """

    quantity: str
    branch: str
    unit: str
    before: float
    after: float
    percent: float
    low: float
    high: float
    judged: bool
    failed: bool

    def __str__(self) -> str:
        place = {"all": "", "hr": " of HR frames", "lr": " of LR frames"}[self.branch]
        how = "worse" if self.quantity == "miou" else "more" if self.unit == "J" else "slower"
        return (
            f"{self.quantity}{place}: {self.before:.4g} {self.unit} became {self.after:.4g} {self.unit}, "
            f"{self.percent:+.1f} % {how} ({self.low:+.1f} to {self.high:+.1f})"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs.

    Attributes:
        before, after: names of records and runs.
        allowed_percent: by how much a quantity may become worse.
        paired: turns were compared with their neighbours in time; if not, what drifted between the two counts as a
            change.
        changes: all quantities.
        unlike: conditions that differ and were allowed to.
        another_bundle: the digests differ.
    """

    before: str
    after: str
    allowed_percent: float
    paired: bool
    changes: tuple[Change, ...]
    unlike: tuple[Unlike, ...] = ()
    another_bundle: bool = False

    @property
    def failed(self) -> tuple[Change, ...]:
        """The quantities that became worse, stages before the frames that they are part of."""
        return tuple(sorted((one for one in self.changes if one.failed), key=lambda one: one.quantity == "frame"))

    @property
    def verdict(self) -> str:
        """What came of it, in one sentence."""
        if self.failed:
            return f"slower beyond noise: {'; '.join(map(str, self.failed))}"
        hidden = max((one.percent - one.low for one in self.changes if one.judged), default=float("inf"))
        return (
            f"nothing became worse by more than {self.allowed_percent:g} % beyond noise; it hides up to {hidden:.1f} %"
            if np.isfinite(hidden)
            else "too few GOPs to tell; measure for longer"
        )


def compared_runs(
    before: Sequence[Measured],
    after: Sequence[Measured],
    *,
    allowed_percent: float,
    paired: bool,
    unlike: Sequence[Unlike] = (),
) -> Comparison:
    """Compare one run, as it was taken once or several times, with another.

    Fails what is worse by more than ``allowed_percent`` as an estimate, and worse at all with 99 % confidence over all
    quantities together: a threshold alone would fail on noise, an interval alone on changes that nobody minds.

    Args:
        before, after: the same run in one record or several, in the order they were taken.
        paired: turns lie side by side in time.
        unlike: conditions that differ.
    """
    quantities = list(_quantities(before, after))
    confidence = 1 - (1 - CONFIDENCE) / max(1, sum(judged for *_, judged in quantities))
    changes = []
    for quantity, branch, old, new, judged in quantities:
        ratio = ratio_of_times(old, new, paired=paired, confidence=confidence)
        changes.append(_change(quantity, branch, old, new, ratio, allowed_percent, judged=judged))
    first, last = before[0].facts, after[0].facts
    changes += list(_energy_and_accuracy(first, last, allowed_percent))
    names = [f"{side[0].record.name}: {side[0].facts.name}" for side in (before, after)]
    return Comparison(
        names[0],
        names[1],
        allowed_percent,
        paired,
        tuple(changes),
        tuple(unlike),
        first.bundle.digest != last.bundle.digest,
    )


def _quantities(before: Sequence[Measured], after: Sequence[Measured]) -> Iterator[tuple[str, str, Times, Times, bool]]:
    """Yield name, branch, both series, and whether it is judged."""
    for branch in BRANCHES:
        old, new = _frames(before, branch), _frames(after, branch)
        if not len(old[0]) or not len(new[0]):
            continue
        whole = np.median(old[0]["total_ms"])
        yield "frame", branch, _times(old, "total_ms"), _times(new, "total_ms"), True
        for stage in stage_names(old[0]):
            column = f"stage_{stage}_ms"
            if column not in (new[0].dtype.names or ()):
                continue
            first, second = _times(old, column), _times(new, column)
            if len(first.ms) and len(second.ms):
                yield stage, branch, first, second, bool(np.median(first.ms) >= STAGE_SHARE * whole)


def _frames(runs: Sequence[Measured], branch: str) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """Return the frames of a branch, and turns that count on from record to record."""
    tables, turns, past = [], [], 0
    for one in runs:
        frames = one.samples.of_run(one.run, branch)
        own = np.unique(frames["turn"], return_inverse=True)[1].reshape(-1)
        tables.append(frames)
        turns.append(own + past)
        past += int(own.max(initial=-1)) + 1
    names = [name for name in tables[0].dtype.names or () if all(name in (t.dtype.names or ()) for t in tables)]
    return np.concatenate([table[names] for table in tables]), np.concatenate(turns)


def _times(frames: tuple[NDArray[np.void], NDArray[np.int64]], column: str) -> Times:
    table, turns = frames
    ms = table[column].astype(np.float64)
    there = np.isfinite(ms)
    return Times(ms[there], table["gop"][there].astype(np.int64), turns[there])


def _change(
    quantity: str, branch: str, old: Times, new: Times, ratio: Ratio, allowed: float, *, judged: bool
) -> Change:
    percent, low, high = (100 * (value - 1) for value in (ratio.value, ratio.low, ratio.high))
    failed = judged and percent > allowed and low > 0
    before, after = float(np.median(old.ms)), float(np.median(new.ms))
    return Change(quantity, branch, "ms", before, after, percent, low, high, judged, failed)


def _energy_and_accuracy(before: BenchRun, after: BenchRun, allowed: float) -> Iterator[Change]:
    if before.energy is not None and after.energy is not None:
        old, new = before.energy.j_per_frame, after.energy.j_per_frame
        percent = 100 * (new.value / old.value - 1)
        low = 100 * ((new.low or 0.0) / (old.high or np.inf) - 1)
        high = 100 * ((new.high or np.inf) / (old.low or 1e-12) - 1)
        failed = percent > allowed and low > 0
        yield Change("j_per_frame", "all", "J", old.value, new.value, percent, low, high, True, failed)
    if before.accuracy and after.accuracy and before.accuracy.miou and after.accuracy.miou is not None:
        first, second = before.accuracy.miou, after.accuracy.miou
        worse = 100 * (1 - second / first)  # the same frames and classes: no noise to allow for
        yield Change("miou", "all", "%", first, second, worse, worse, worse, True, worse > allowed)
