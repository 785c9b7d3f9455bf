"""A report of records and their samples."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from edge_arseg.bench.compare.comparison import Comparison
from edge_arseg.bench.compare.likeness import unlike_conditions
from edge_arseg.bench.compare.requirement import Outcome
from edge_arseg.bench.records.bench_record import BenchRecord
from edge_arseg.bench.records.run import BenchRun
from edge_arseg.bench.records.samples import Samples
from edge_arseg.bench.report.content import (
    REVISION,
    Beside,
    Curve,
    Environment,
    LayerTime,
    Pareto,
    Point,
    Report,
    StageTime,
    Warned,
)
from edge_arseg.bench.report.labels import renamed_records
from edge_arseg.bench.report.rows import Row, row_from_run
from edge_arseg.bench.report.series import histograms_of, timelines_of
from edge_arseg.bench.report.verdict import verdict_of
from edge_arseg.quantity import counted

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
    many = len(records) > 1
    originals = [record for record, _ in records]
    renamed = renamed_records(originals)
    rows = [_rows(before, after, many=many) for before, after in zip(originals, renamed, strict=True)]
    every = [row for own in rows for row in own]
    shown = [(record, samples) for record, (_, samples) in zip(renamed, records, strict=True)]
    return Report(
        revision=REVISION,
        title=originals[0].name if not many else f"{len(records)} records",
        verdicts=tuple(
            f"{record.name}: {text}" if many else text
            for record, own in zip(renamed, rows, strict=True)
            for text in [verdict_of(record, own)]
        ),
        rows=tuple(every),
        paretos=tuple(_paretos(every)),
        histograms=tuple(one for record, samples in shown for one in histograms_of(record, samples)),
        timelines=tuple(one for record, samples in shown for one in timelines_of(record, samples)),
        distances=tuple(one for record in renamed for one in _distances(record)),
        classes=tuple(one for record in renamed for one in _classes(record)),
        stages=tuple(one for record in renamed for run in record.runs for one in _stages(record.name, run)),
        layers=tuple(one for record in renamed for run in record.runs for one in _layers(record.name, run)),
        environments=tuple(
            _environment(record, f"{record.name}: {before.name}" if many else before.name)
            for before, record in zip(originals, renamed, strict=True)
        ),
        warnings=tuple(_warnings(originals, renamed)),
        comparisons=tuple(_shortly(one, originals, renamed) for one in comparisons),
        outcomes=tuple(outcomes),
        published=tuple(one for record, own in zip(originals, rows, strict=True) for one in _beside(record, own)),
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


def _beside(record: BenchRecord, rows: Sequence[Row]) -> Iterator[Beside]:
    for published in record.settings.published:
        own = [row for row, run in zip(rows, record.runs, strict=True) if published.stands_beside(run)]
        for row in own:
            yield Beside(published, row.label, row.miou, row.gmacs, row.mean_ms)
        if not own:
            yield Beside(published, None, None, None, None)


def _rows(record: BenchRecord, renamed: BenchRecord, *, many: bool) -> list[Row]:
    return [
        row_from_run(record, run, f"{renamed.name}: {short.name}" if many else short.name)
        for run, short in zip(record.runs, renamed.runs, strict=True)
    ]


def _shortly(comparison: Comparison, records: Sequence[BenchRecord], renamed: Sequence[BenchRecord]) -> Comparison:
    """Return a comparison with the page's names; where two records are called alike, with their own."""
    if len({record.name for record in records}) < len(records):
        return comparison
    names = {
        f"{record.name}: {run.name}": f"{short.name}: {one.name}" if len(records) > 1 else one.name
        for record, short in zip(records, renamed, strict=True)
        for run, one in zip(record.runs, short.runs, strict=True)
    }
    before, after = (names.get(name, name) for name in (comparison.before, comparison.after))
    return replace(comparison, before=before, after=after)


def _paretos(rows: Sequence[Row]) -> Iterator[Pareto]:
    for measure, title in COSTS.items():
        known = [row for row in rows if row.miou is not None and getattr(row, measure) is not None]
        places = [(float(getattr(row, measure)), float(row.miou or 0.0)) for row in known]
        front = pareto_front(places)
        points = [
            Point(row.label, rows.index(row) + 1, x, y, on)
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


def _environment(record: BenchRecord, title: str) -> Environment:
    conditions, board, settings = record.conditions, record.board, record.settings
    profile = settings.profile or (counted(settings.frames, "frame") if settings.frames else "own settings")
    facts = {
        "board": board.model or board.target,
        "power mode": board.power_mode,
        "GPU": ", ".join(board.gpu),
        "JetPack": " ".join(filter(None, [board.jetpack, board.l4t and f"(L4T {board.l4t})"])),
        "CPU": f"{conditions.cpu}, {counted(conditions.cores, 'core')}, {conditions.machine}",
        "CPU features": ", ".join(conditions.cpu_features or ()),
        "clocks": f"governor {board.governor or 'not known'}, "
        + {True: "pinned", False: "not pinned", None: "pinning not known"}[board.pinned],
        "memory": f"{conditions.memory_mb} MB",
        "system": conditions.system + (", in a container" if board.container else ""),
        "Python": conditions.python,
        "packages": ", ".join(f"{name} {version}" for name, version in sorted(conditions.packages.items())),
        "load before": f"{conditions.load:.2f}",
        "source": settings.source + (" (live)" if settings.live else ""),
        "bundles": ", ".join(
            dict.fromkeys(
                f"{one.name} ({one.digest[:12]}), {one.height}x{one.width}"
                for one in (run.bundle for run in record.runs)
            )
        ),
        "workload": settings.workload,
        "profile": f"{profile}, {max((len(run.turns) for run in record.runs), default=0)} turns of each run",
        "labels": settings.labels,
        "energy": record.energy.text,
        "state": record.state,
        "samples": record.samples,
        **_by_run("motion", {run.name: run.motion_used for run in record.runs}),
        **_by_run("chosen", {run.name: run.chosen for run in record.runs}),
    }
    return Environment(
        title, record.taken, {name: value for name, value in facts.items() if value}, tuple(_missing(record))
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


def _warnings(originals: Sequence[BenchRecord], records: Sequence[BenchRecord]) -> Iterator[Warned]:
    for other in records[1:]:
        for one in unlike_conditions(records[0], other):
            yield Warned("unlike", f"unlike {records[0].name}: {one}", other.name)
    for original, record in zip(originals, records, strict=True):
        if record.state != "finished" and not any(notice.code == "interrupted" for notice in record.notices):
            yield Warned(
                "interrupted", "the measurement did not come to its end; what was measured is here", record.name
            )
        for notice in record.notices:
            name = None if notice.run is None else record.runs[notice.run].name
            text = notice.text
            if notice.run is not None:
                text = text.removeprefix(f"{original.runs[notice.run].name}: ")
            yield Warned(notice.code, text, record.name, name, notice.start_s, notice.end_s)
