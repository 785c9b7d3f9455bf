"""What a report says, apart from how it looks: the one schema of HTML, Markdown, CSV and JSON."""

from dataclasses import dataclass, field

from edge_arseg.bench.compare.comparison import Comparison
from edge_arseg.bench.compare.requirement import Outcome
from edge_arseg.bench.records.published import Published
from edge_arseg.bench.report.rows import Row

REVISION = 1
SEVERE_FIRST = (
    "interrupted",
    "failed",
    "unlike",
    "unchecked",
    "other target",
    "fallback",
    "throttled",
    "sensor lost",
    "sensor garbage",
    "stall",
    "memory",
    "load",
    "unstable",
    "few samples",
)
"""Codes of warnings, in the order that they are told."""


@dataclass(frozen=True, slots=True)
class Point:
    """A run in a Pareto plot: its name, its place in ``Report.rows`` from 1, cost ``x``, mIoU ``y``, on the front?"""

    name: str
    number: int
    x: float
    y: float
    front: bool


@dataclass(frozen=True, slots=True)
class Pareto:
    """mIoU against one cost: its measure in ``MEASURES``, its name, and the runs that have both."""

    measure: str
    title: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Frame times of one branch of one run.

    Attributes:
        record, run, branch: of which frames.
        start_ms, width_ms: of the bins.
        counts: frames by bin; their sum is all frames, none is left out.
        p50_ms, p99_ms: where the samples carry them.
    """

    record: str
    run: str
    branch: str
    start_ms: float
    width_ms: float
    counts: tuple[int, ...]
    p50_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time: ``seconds`` on the record's clock, gaps as ``None``."""

    name: str
    seconds: tuple[float, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One panel: what is drawn (``latency``, ``power``, ...), its unit, and series.

    Attributes:
        record: it was taken in.
        thinned: of every stretch the smallest and the largest value are drawn, and no others.
    """

    record: str
    quantity: str
    unit: str
    series: tuple[Series, ...]
    thinned: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """Numbers of one run by something: distance, class, stage."""

    record: str
    run: str
    values: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class StageTime:
    """Mean milliseconds of a stage in one branch's frames; ``beside``: CPU time of what runs beside the engines."""

    record: str
    run: str
    branch: str
    stage: str
    ms: float
    beside: bool = False


@dataclass(frozen=True, slots=True)
class LayerTime:
    """One layer; ``share``: of the time of its graph, 0 to 1; ``gmacs`` where they are known."""

    record: str
    run: str
    graph: str
    name: str
    kind: str
    ms: float
    share: float
    gmacs: float | None


@dataclass(frozen=True, slots=True)
class Beside:
    """A row that others published, and our run beside it: its name, mIoU in %, GMACs and mean ms of a frame; ``None``
    where we have no such run, or it was not measured."""

    published: Published
    run: str | None
    miou: float | None
    gmacs: float | None
    ms: float | None


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning: its code in ``CODES``, its text, the record, and the run where it is about one."""

    code: str
    text: str
    record: str
    run: str | None = None
    start_s: float | None = None
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """What one record was taken on, as names and values, and what was not measured."""

    record: str
    taken: str
    facts: dict[str, str]
    not_measured: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """See the module.

    Attributes:
        revision: of the schema.
        title: for the page.
        verdicts: one sentence for each record.
        rows: all runs.
        paretos, histograms, timelines, distances, classes, stages, layers: what is drawn; empty where it was not
            measured.
        environments, warnings: of all records.
        comparisons, outcomes: where they were asked for.
        published: numbers of others, beside ours.
    """

    revision: int
    title: str
    verdicts: tuple[str, ...]
    rows: tuple[Row, ...]
    paretos: tuple[Pareto, ...]
    histograms: tuple[Histogram, ...]
    timelines: tuple[Timeline, ...]
    distances: tuple[Curve, ...]
    classes: tuple[Curve, ...]
    stages: tuple[StageTime, ...]
    layers: tuple[LayerTime, ...]
    environments: tuple[Environment, ...]
    warnings: tuple[Warned, ...]
    comparisons: tuple[Comparison, ...] = field(default=())
    outcomes: tuple[Outcome, ...] = field(default=())
    published: tuple[Beside, ...] = field(default=())

    @property
    def failed(self) -> bool:
        """A requirement does not hold, or something became worse."""
        return any(not one.passed for one in self.outcomes) or any(one.failed for one in self.comparisons)

    @property
    def warnings_by_code(self) -> dict[str, list[Warned]]:
        """The warnings of each code, what spoils numbers first."""
        codes = sorted({one.code for one in self.warnings}, key=lambda code: (*SEVERE_FIRST, code).index(code))
        return {code: [one for one in self.warnings if one.code == code] for code in codes}
