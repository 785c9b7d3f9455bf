"""A report of records and their samples."""

from collections.abc import Iterator, Sequence

from edge_arseg.bench.compare.comparison import Comparison
from edge_arseg.bench.compare.likeness import unlike_conditions
from edge_arseg.bench.compare.requirement import Outcome
from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.run import BenchRun
from edge_arseg.bench.records.samples import Samples
from edge_arseg.bench.report.content import (
    REVISION,
    Curve,
    Environment,
    LayerTime,
    Pareto,
    Point,
    Report,
    StageTime,
    Warned,
)
from edge_arseg.bench.report.rows import Row, row_from_run
from edge_arseg.bench.report.series import histograms_of, timelines_of
from edge_arseg.bench.report.verdict import verdict_of

COSTS = {"mean_ms": "mean ms of a frame", "gmacs": "GMACs of a frame", "j_per_frame": "J of a frame"}
"""What mIoU is drawn against, where it was measured."""


def report_from_records(
    records: Sequence[tuple[BenchRecord, Samples]],
    *,
    comparisons: Sequence[Comparison] = (),
    outcomes: Sequence[Outcome] = (),
) -> Report:
    """Say everything that records hold; nothing is averaged over records, and unlike conditions become a warning.

    Args:
        records: each with its samples.
        comparisons, outcomes: gates that were asked for.
    """
    rows = {record.name: [row_from_run(record, run) for run in record.runs] for record, _ in records}
    every = [row for own in rows.values() for row in own]
    many = len(records) > 1
    return Report(
        revision=REVISION,
        title=records[0][0].name if not many else f"{len(records)} records",
        verdicts=tuple(verdict_of(record, rows[record.name]) for record, _ in records),
        rows=tuple(every),
        paretos=tuple(_paretos(every, many=many)),
        histograms=tuple(one for record, samples in records for one in histograms_of(record, samples)),
        timelines=tuple(one for record, samples in records for one in timelines_of(record, samples)),
        distances=tuple(one for record, _ in records for one in _distances(record)),
        classes=tuple(one for record, _ in records for one in _classes(record)),
        stages=tuple(one for record, _ in records for run in record.runs for one in _stages(record.name, run)),
        layers=tuple(one for record, _ in records for run in record.runs for one in _layers(record.name, run)),
        environments=tuple(_environment(record) for record, _ in records),
        warnings=tuple(_warnings([record for record, _ in records])),
        comparisons=tuple(comparisons),
        outcomes=tuple(outcomes),
    )


def pareto_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Say of each ``(cost, gain)`` whether it is on the front: no other costs no more and gains no less, and one of the
    two strictly."""
    return [
        not any(
            x <= cost and y >= gain and (x, y) != (cost, gain) for index, (x, y) in enumerate(points) if index != own
        )
        for own, (cost, gain) in enumerate(points)
    ]


def _paretos(rows: Sequence[Row], *, many: bool) -> Iterator[Pareto]:
    for measure, title in COSTS.items():
        known = [row for row in rows if row.miou is not None and getattr(row, measure) is not None]
        places = [(float(getattr(row, measure)), float(row.miou or 0.0)) for row in known]
        front = pareto_front(places)
        points = [
            Point(f"{row.record}: {row.run}" if many else row.run, x, y, on)
            for row, (x, y), on in zip(known, places, front, strict=True)
        ]
        if points:
            yield Pareto(measure, title, tuple(points))


def _distances(record: BenchRecord) -> Iterator[Curve]:
    for run in record.runs:
        if run.accuracy and any(value is not None for value in run.accuracy.by_distance):
            values = {str(distance): value for distance, value in enumerate(run.accuracy.by_distance)}
            yield Curve(record.name, run.name, values)


def _classes(record: BenchRecord) -> Iterator[Curve]:
    for run in record.runs:
        if run.accuracy and run.accuracy.by_class:
            yield Curve(record.name, run.name, dict(run.accuracy.by_class))


def _stages(record: str, run: BenchRun) -> Iterator[StageTime]:
    for branch, latency in run.latency.items():
        if branch == "all":
            continue
        for stage, summary in latency.stages.items():
            yield StageTime(record, run.name, branch, stage, summary.mean.value)
        if latency.unexplained is not None:
            yield StageTime(record, run.name, branch, "unexplained", latency.unexplained.mean.value)
        for stage, summary in latency.cpu.items():
            yield StageTime(record, run.name, branch, stage, summary.mean.value, beside=True)


def _layers(record: str, run: BenchRun) -> Iterator[LayerTime]:
    totals: dict[str, float] = {}
    for layer in run.layers:
        totals[layer.graph] = totals.get(layer.graph, 0.0) + layer.ms
    for layer in sorted(run.layers, key=lambda one: -one.ms):
        share = layer.ms / totals[layer.graph] if totals[layer.graph] else 0.0
        gmacs = None if layer.macs is None else layer.macs / 1e9
        yield LayerTime(record, run.name, layer.graph, layer.name, layer.kind, layer.ms, share, gmacs)


def _environment(record: BenchRecord) -> Environment:
    conditions, board, settings = record.conditions, record.board, record.settings
    profile = settings.profile or (f"{settings.frames} frames" if settings.frames else "own settings")
    facts = {
        "board": board.model or board.target,
        "power mode": board.power_mode,
        "GPU": ", ".join(board.gpu),
        "JetPack": " ".join(filter(None, [board.jetpack, board.l4t and f"(L4T {board.l4t})"])),
        "CPU": f"{conditions.cpu}, {conditions.cores} cores, {conditions.machine}",
        "CPU features": ", ".join(conditions.cpu_features or ()),
        "clocks": f"governor {board.governor or 'not known'}, "
        + {True: "pinned", False: "not pinned", None: "pinning not known"}[board.pinned],
        "memory": f"{conditions.memory_mb} MB",
        "system": conditions.system + (", in a container" if board.container else ""),
        "Python": conditions.python,
        "packages": ", ".join(f"{name} {version}" for name, version in sorted(conditions.packages.items())),
        "load before": f"{conditions.load:.2f}",
        "source": settings.source + (" (live)" if settings.live else ""),
        "workload": settings.workload,
        "profile": f"{profile}, {settings.turns} turns of each run",
        "labels": settings.labels,
        "energy": record.energy.text,
        "state": record.state,
        "samples": record.samples,
        **_by_run("motion", {run.name: run.motion_used for run in record.runs}),
        **_by_run("chosen", {run.name: run.chosen for run in record.runs}),
    }
    return Environment(
        record.name, record.taken, {name: value for name, value in facts.items() if value}, tuple(_missing(record))
    )


def _by_run(name: str, values: dict[str, str]) -> dict[str, str]:
    """Return one line where all runs have the same value, else a line for each value with the runs that have it."""
    kinds = list(dict.fromkeys(values.values()))
    if len(kinds) == 1:
        return {name: kinds[0]}
    return {f"{name} of {', '.join(run for run, own in values.items() if own == kind)}": kind for kind in kinds}


def _missing(record: BenchRecord) -> Iterator[str]:
    """Yield what was not measured, in words."""
    if not record.energy.measured:
        yield f"energy ({record.energy.text.removeprefix('not measured: ')})"
    quantities = {channel.quantity for channel in record.channels}
    yield from (name for name in ("temperature", "clock") if name not in quantities)
    if all(run.accuracy is None for run in record.runs):
        yield "accuracy (no labels)"
    if all(not run.layers for run in record.runs):
        yield "time by layer"
    if all(run.memory.device_mb is None for run in record.runs):
        yield "GPU memory"


def _warnings(records: Sequence[BenchRecord]) -> Iterator[Warned]:
    for other in records[1:]:
        for one in unlike_conditions(records[0], other):
            yield Warned("unlike", f"unlike {records[0].name}: {one}", other.name)
    for record in records:
        if record.state != "finished" and not any(notice.code == "interrupted" for notice in record.notices):
            yield Warned(
                "interrupted", "the measurement did not come to its end; what was measured is here", record.name
            )
        for notice in record.notices:
            name = None if notice.run is None else record.runs[notice.run].name
            yield Warned(notice.code, notice.text, record.name, name, notice.start_s, notice.end_s)
