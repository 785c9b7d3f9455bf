"""What became slower from one record to the next, stage by stage, beyond what noise explains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.compare.likeness import Unlike
from edge_arseg.bench.compare.signed_ranks import bounds, middle
from edge_arseg.bench.compare.times import FAST, FEWEST, Ratio, Times, ratio_of_times
from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.run import BenchRun
from edge_arseg.bench.records.samples import BRANCHES, Samples, stage_names

STAGE_SHARE = 0.05
"""Share of its branch's frame that a stage takes at least to be judged by itself."""
CONFIDENCE = 0.95
"""That no quantity of a comparison is called slower by chance, over all of them together; what is, must be slower by
more than was allowed too."""
MEDIAN = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """A run with its samples: one of ``A B A B``.

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
        before, after: medians of whole frames, and of stages what the fastest 5 % do not exceed; of energy the median
            of what the records say, of accuracy what the first two say.
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
        paired: pairs of records were compared; if not, blocks of two runs, with room for where a process puts its
            memory.
        pairs: of records, or of blocks.
        changes: all quantities.
        unlike: conditions that differ and were allowed to.
        another_bundle: the digests differ.
        one_order: the same of two runs was opened first in every record, so even many pairs do not show where a
            process puts its memory.
        busy: others used the machine, and the records are too few to tell that from a change.
    """

    before: str
    after: str
    allowed_percent: float
    paired: bool
    pairs: int
    changes: tuple[Change, ...]
    unlike: tuple[Unlike, ...] = ()
    another_bundle: bool = False
    one_order: bool = False
    busy: bool = False

    @property
    def failed(self) -> tuple[Change, ...]:
        """The quantities that became worse, stages before the frames that they are part of."""
        return tuple(sorted((one for one in self.changes if one.failed), key=lambda one: one.quantity == "frame"))

    @property
    def verdict(self) -> str:
        """What came of it, in one sentence."""
        if self.failed:
            how = "slower" if all(one.unit == "ms" for one in self.failed) else "worse"
            return f"{how} beyond noise: {'; '.join(map(str, self.failed))}"
        if self.busy:
            return f"others used the machine, and so few pairs tell nothing then; measure alone, or {FEWEST} pairs"
        judged = [one for one in self.changes if one.judged]
        if not judged or any(one.low <= -100 for one in judged):
            return "too few GOPs to tell; measure for longer"
        hidden = max(one.percent - one.low for one in judged)
        more = "" if self.paired else f"; {FEWEST} pairs of records or more, taken in turns, tell more"
        if self.one_order:
            more = "; the same run was opened first in every record; records of this version, which draw it, tell more"
        return (
            f"nothing became worse by more than {self.allowed_percent:g} % beyond noise; it hides up to {hidden:.1f} %"
            f"{more}"
        )


def compared_runs(
    before: Sequence[Measured],
    after: Sequence[Measured],
    *,
    allowed_percent: float,
    unlike: Sequence[Unlike] = (),
) -> Comparison:
    """Compare one run, as it was taken once or several times, with another.

    Fails what is worse by more than ``allowed_percent`` as an estimate, and worse at all with 95 % confidence over all
    quantities together: a threshold alone would fail on noise, an interval alone on changes that nobody minds.

    Args:
        before, after: the same run in one record or several; the first of each were taken side by side, and so on.
        allowed_percent: by how much a quantity may become worse.
        unlike: conditions that differ.
    """
    together = all(a.record is b.record for a, b in zip(before, after, strict=True))
    one_order = together and len(before) >= FEWEST and _one_order(before, after)
    busy = not together and len(before) < FEWEST and any(map(_disturbed, (*before, *after)))
    quantities = list(_quantities(before, after))
    confidence = 1 - (1 - CONFIDENCE) / max(1, sum(judged for *_, judged in quantities))
    changes, told = [], list[Ratio]()
    for quantity, branch, old, new, judged in quantities:
        kind = "keyframes of ar" if branch == "hr" and before[0].facts.settings.mode == "ar" else branch
        ratio = ratio_of_times(old, new, together=together, kind=kind, one_order=one_order, confidence=confidence)
        changes.append(_change(quantity, branch, old, new, ratio, allowed_percent, judged=judged and not busy))
        told.append(ratio)
    first, last = before[0].facts, after[0].facts
    changes += [*_energy(before, after, allowed_percent), *_accuracy(first, last, allowed_percent)]
    names = [f"{side[0].record.name}: {side[0].facts.name}" for side in (before, after)]
    return Comparison(
        names[0],
        names[1],
        allowed_percent,
        all(one.placed for one in told),
        min((one.pairs for one in told), default=0),
        tuple(changes),
        tuple(unlike),
        first.bundle.digest != last.bundle.digest,
        one_order,
        busy,
    )


def _disturbed(one: Measured) -> bool:
    return any(notice.code == "load" and notice.run in (None, one.run) for notice in one.record.notices)


def _one_order(before: Sequence[Measured], after: Sequence[Measured]) -> bool:
    """Whether the runs of one side were opened first in every record; runs are opened in the order of their turns."""
    orders = {
        a.facts.turns[0].number < b.facts.turns[0].number
        for a, b in zip(before, after, strict=True)
        if a.run != b.run and a.facts.turns and b.facts.turns
    }
    return len(orders) == 1


Both = tuple[str, str, list[Times], list[Times], bool]


def _quantities(before: Sequence[Measured], after: Sequence[Measured]) -> Iterator[Both]:
    """Yield name, branch, the times of every run before and after, and whether they are judged."""
    for branch in BRANCHES:
        olds, news = ([one.samples.of_run(one.run, branch) for one in side] for side in (before, after))
        if not all(map(len, (*olds, *news))):
            continue
        whole = float(np.median(olds[0]["total_ms"]))
        columns = [("frame", "total_ms", MEDIAN)] + [
            (stage, f"stage_{stage}_ms", FAST) for stage in stage_names(olds[0])
        ]
        for name, column, share in columns:
            sides = [[_times(table, column, share) for table in tables] for tables in (olds, news)]
            if all(len(times.ms) for side in sides for times in side):
                judged = bool(np.median(sides[0][0].ms) >= STAGE_SHARE * whole)
                yield name, branch, sides[0], sides[1], judged


def _times(table: NDArray[np.void], column: str, share: float) -> Times:
    if column not in (table.dtype.names or ()):
        table = table[:0]
        column = "total_ms"
    ms = table[column].astype(np.float64)
    there = np.isfinite(ms)
    return Times(ms[there], table["gop"][there].astype(np.int64), table["turn"][there].astype(np.int64), share)


def _change(
    quantity: str,
    branch: str,
    old: Sequence[Times],
    new: Sequence[Times],
    ratio: Ratio,
    allowed: float,
    *,
    judged: bool,
) -> Change:
    percent, low, high = (100 * (value - 1) for value in (ratio.value, ratio.low, ratio.high))
    failed = judged and percent > allowed and low > 0
    before, after = (float(np.median([one.level for one in side])) for side in (old, new))
    return Change(quantity, branch, "ms", before, after, percent, low, high, judged, failed)


def _energy(before: Sequence[Measured], after: Sequence[Measured], allowed: float) -> Iterator[Change]:
    """Yield the energy of a frame, where any pair has it, with the bounds of all pairs.

    Fewer pairs than show where a process puts its memory are worse where each of them is, beyond its own interval.
    """
    both = [(a.facts.energy, b.facts.energy) for a, b in zip(before, after, strict=True)]
    pairs = [(old.j_per_frame, new.j_per_frame) for old, new in both if old is not None and new is not None]
    pairs = [(old, new) for old, new in pairs if old.value > 0 and new.value > 0]
    if not pairs:
        return
    steps = np.log([new.value / old.value for old, new in pairs])
    if len(pairs) >= FEWEST:
        low, high = np.exp(bounds(steps, CONFIDENCE))
    else:
        low = min((new.low or 0.0) / (old.high or np.inf) for old, new in pairs)
        high = max(new.high / old.low if new.high is not None and old.low else np.inf for old, new in pairs)
    usual, last = (float(np.median([pair[side].value for pair in pairs])) for side in (0, 1))
    percent, low, high = (float(100 * (ratio - 1)) for ratio in (np.exp(middle(steps)), low, high))
    yield Change("j_per_frame", "all", "J", usual, last, percent, low, high, True, percent > allowed and low > 0)


def _accuracy(before: BenchRun, after: BenchRun, allowed: float) -> Iterator[Change]:
    if before.accuracy and after.accuracy and before.accuracy.miou and after.accuracy.miou is not None:
        first, second = before.accuracy.miou, after.accuracy.miou
        worse = 100 * (1 - second / first)  # the same frames and classes: no noise to allow for
        yield Change("miou", "all", "%", first, second, worse, worse, worse, True, worse > allowed)
