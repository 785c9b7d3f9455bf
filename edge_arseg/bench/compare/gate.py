"""Which runs of several records a comparison is made of."""

from collections.abc import Collection, Sequence

from edge_arseg.bench.compare.comparison import Comparison, Measured, compared_runs
from edge_arseg.bench.compare.likeness import paired_runs, refuse_unlike, run_named
from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.samples import Samples
from edge_arseg.errors import DataError, OptionError
from edge_arseg.quantity import counted

Read = tuple[BenchRecord, Samples]


def comparisons_of_records(
    records: Sequence[Read], *, allowed_percent: float, allowed: Collection[str] = ()
) -> tuple[Comparison, ...]:
    """Compare every run of A with the same run of B.

    Args:
        records: A and B; or A B A B ..., taken in turns in this order, which lets what drifts cancel.
        allowed_percent: by how much a quantity may become worse.
        allowed: unlike conditions that may be, see ``refuse_unlike``.

    Raises:
        OptionError: no pairs of records.
        DataError: unlike conditions, or no runs in common.
    """
    if len(records) < 2 or len(records) % 2:
        raise OptionError(
            f"--fail-on: {counted(len(records), 'record')} seen, expected two (A B), or pairs in the order they "
            "were taken "
            "(A B A B); two runs that took turns in each record are named with --between A B"
        )
    before, after = records[::2], records[1::2]
    first = records[0][0]
    unlike = {str(one): one for record, _ in records[1:] for one in refuse_unlike(first, record, allowed)}
    found = []
    for a, b in paired_runs(first, after[0][0]):
        olds = [_same(one, first, a) for one in before]
        news = [_same(one, after[0][0], b) for one in after]
        found.append(compared_runs(olds, news, allowed_percent=allowed_percent, unlike=tuple(unlike.values())))
    return tuple(found)


def comparison_between_runs(
    records: Sequence[Read], before: str, after: str, *, allowed_percent: float, allowed: Collection[str] = ()
) -> Comparison:
    """Compare two runs that took turns, of one record or of several.

    Args:
        records: each with both runs.
        before, after: names of the runs.
        allowed_percent: by how much a quantity may become worse.
        allowed: unlike conditions that may be, see ``refuse_unlike``.

    Raises:
        DataError: unlike conditions.
        OptionError: no run of that name.
    """
    first = records[0][0]
    unlike = {str(one): one for record, _ in records[1:] for one in refuse_unlike(first, record, allowed)}
    olds, news = (
        [Measured(record, samples, run_named(record, name)) for record, samples in records] for name in (before, after)
    )
    return compared_runs(olds, news, allowed_percent=allowed_percent, unlike=tuple(unlike.values()))


def _same(read: Read, like: BenchRecord, index: int) -> Measured:
    """Return the run of a record that is the same as a run of another one."""
    record, samples = read
    if record is like:
        return Measured(record, samples, index)
    for a, b in paired_runs(like, record):
        if a == index:
            return Measured(record, samples, b)
    raise DataError(f"{record.name} has no run {like.runs[index].name!r}, which {like.name} has; measure both alike")
