"""Requirements like ``miou>=60,p99_ms<=33``: read, and held against the rows of a report."""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_arseg.bench.report.rows import MEASURES, Row
from edge_arseg.errors import OptionError
from edge_arseg.suggestion import did_you_mean

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(r"([a-z0-9_]+)\s*(>=|<=|>|<)\s*([0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A measure (a key of ``MEASURES``), how it is compared, and with what."""

    measure: str
    comparison: str
    bound: float

    def __str__(self) -> str:
        return f"{self.measure} {self.comparison} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A requirement held against one run.

    Attributes:
        run: name of record and run.
        requirement: that was held against it.
        seen: the value; ``None``: not measured, which fails.
        passed: it holds.
        text: in one sentence.
    """

    run: str
    requirement: Requirement
    seen: float | None
    passed: bool
    text: str


def requirements_from_text(text: str) -> tuple[Requirement, ...]:
    """Read requirements separated by commas.

    Raises:
        OptionError: a wrong form, or a measure that no report has: all faults in one message.
    """
    found, faults = [], []
    for part in text.split(","):
        match = _FORM.fullmatch(part.strip())
        if match is None:
            faults.append(f"{part.strip()!r}: expected a form like p99_ms<=33")
        elif match[1] not in MEASURES:
            meant = did_you_mean(match[1], MEASURES)
            faults.append(f"{match[1]!r}: not a measure; {meant}{' ' if meant else ''}known: {', '.join(MEASURES)}")
        elif match[1] == "miou" and 0 < float(match[3]) <= 1:
            meant = f"miou{match[2]}{100 * float(match[3]):g}"
            faults.append(f"{part.strip()!r}: mIoU is told in points of 100; did you mean {meant}?")
        else:
            found.append(Requirement(match[1], match[2], float(match[3])))
    if faults:
        raise OptionError("--require: " + "; ".join(faults))
    return tuple(found)


def outcomes_of(rows: Sequence[Row], requirements: Sequence[Requirement]) -> tuple[Outcome, ...]:
    """Hold every requirement against every row; the record is named where there are several."""
    many = len({row.record for row in rows}) > 1
    return tuple(
        _outcome(row, f"{row.record}: {row.run}" if many else row.run, one) for row in rows for one in requirements
    )


def _outcome(row: Row, name: str, requirement: Requirement) -> Outcome:
    seen = getattr(row, requirement.measure)
    if seen is None:
        why = row.why_missing(requirement.measure)
        return Outcome(name, requirement, None, False, f"{requirement} cannot be checked: {why}")
    passed = _COMPARE[requirement.comparison](seen, requirement.bound)
    return Outcome(name, requirement, seen, passed, f"{requirement}: {seen:.6g} measured")
