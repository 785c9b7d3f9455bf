"""Runs that are going to be measured, from options."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from edge_arseg.bench.plans.matrix import cells
from edge_arseg.bench.plans.options import BenchOptions
from edge_arseg.bench.records.bench_record import Notice
from edge_arseg.bench.records.run import BenchRun, BundleFacts, RunMemory, RunSettings
from edge_arseg.errors import ArsegError, MemoryExhaustedError, OptionError
from edge_arseg.quantity import counted
from edge_arseg.runtime.bundles.reading import Bundle, read_bundle
from edge_arseg.runtime.bundles.zoo import shipped_paths
from edge_arseg.runtime.choice.engine_choice import Choice
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.manifest import Role
from edge_arseg.video.uri import source_from_uri

BRANCHES = (Role.HR, Role.LR)

Choose = Callable[[Path | None, Sequence[Mode], EngineOptions], tuple[Choice, tuple[Mode, ...]]]
"""Settles bundle, engines and modes; raises ``ArsegError`` where they are not available."""


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run that is going to be measured.

    Attributes:
        choice: bundle and engines.
        settings: everything that was chosen.
        source: what ``open_video`` takes.
        group: runs of one group take turns; one cell of a matrix is one group.
    """

    choice: Choice
    settings: RunSettings
    source: str
    group: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All runs, and what could not be planned."""

    runs: tuple[PlannedRun, ...]
    notices: tuple[Notice, ...]


def plan_from_options(options: BenchOptions, choose: Choose) -> Plan:
    """Plan the runs.

    A cell of a matrix that is not available here is left out and named; where there is no matrix it is an error.

    Args:
        options: what to measure.
        choose: called for each bundle of each cell.

    Raises:
        ArsegError: see ``choose``; or nothing is left.
        OptionError: fewer frames than one GOP are asked for.
    """
    runs: list[PlannedRun] = []
    notices: list[Notice] = []
    for group, cell in enumerate(cells(options.matrix)):
        before = len(runs)
        engines = replace(
            options.engines,
            backend=cell.get("backend", options.engines.backend),
            threads=cell.get("threads", options.engines.threads),
        )
        for path in _bundles(options, cell):
            try:
                choice, modes = choose(path, options.modes, engines)
                runs += [_planned(options, choice, mode, cell, group) for mode in modes]
            except MemoryExhaustedError:
                raise
            except ArsegError as error:
                if not options.matrix or isinstance(error, OptionError):
                    raise
                name = path.stem if path is not None else "a bundle of the package"
                notices.append(Notice("failed", f"{name} with {_text(cell)}: {error}"))
        if len(runs) == before and options.matrix and not any(_text(cell) in notice.text for notice in notices):
            notices.append(Notice("failed", f"{_text(cell)}: no bundle that was named is of this kind"))
    if not runs:
        raise OptionError("nothing to measure: " + "; ".join(notice.text for notice in notices))
    return Plan(tuple(runs), tuple(notices))


def bench_runs(plan: Plan) -> tuple[BenchRun, ...]:
    """Return the runs as a record has them before they are measured."""
    runs = plan.runs
    return tuple(
        BenchRun(
            name=name,
            bundle=facts_of(run.choice.bundle),
            settings=run.settings,
            label="",
            chosen=run.choice.how,
            agreement=run.choice.agreement,
            motion_used="",
            finished=False,
            warm_up=None,
            turns=(),
            latency={},
            mean_ms=None,
            fps=None,
            outside_networks=None,
            cores_used=None,
            deadlines=None,
            energy=None,
            memory=RunMemory(None, None, None),
        )
        for run, name in zip(runs, _names(runs), strict=True)
    )


def facts_of(bundle: Bundle) -> BundleFacts:
    """Return what a record says of a bundle."""
    manifest = bundle.manifest
    return BundleFacts(
        name=manifest.name,
        digest=bundle.digest,
        height=manifest.height,
        width=manifest.width,
        lr_scale=manifest.lr_scale,
        gop=manifest.gop,
        precision={role.value: entry.precision.value for role, entry in manifest.graphs.items()},
        hr_only=manifest.hr_only,
        hr_macs=manifest.cost.hr_macs,
        lr_macs=manifest.cost.lr_macs,
        fuse_macs=manifest.cost.fuse_macs,
        files_mb=sum(entry.bytes for entry in manifest.files.values()) / 1e6,
    )


def precision_of(bundle: Bundle) -> str:
    """Return the precision of the branches in one word, or of each."""
    graphs = bundle.manifest.graphs
    found = {role.value: graphs[role].precision.value for role in BRANCHES if role in graphs}
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    return ", ".join(f"{role} {precision}" for role, precision in found.items())


def _bundles(options: BenchOptions, cell: dict[str, Any]) -> list[Path | None]:
    """The bundles that were named, those of a cell's precision and LR scale; the package's where none was named."""
    if "precision" not in cell and "lr-scale" not in cell:
        return list(options.bundles) or [None]
    found: list[Path | None] = []
    for path in options.bundles or shipped_paths():
        bundle = read_bundle(path)
        if cell.get("precision", precision_of(bundle)) == precision_of(bundle) and (
            cell.get("lr-scale", bundle.manifest.lr_scale) == bundle.manifest.lr_scale
        ):
            found.append(path)
    return found


def _planned(options: BenchOptions, choice: Choice, mode: Mode, cell: dict[str, Any], group: int) -> PlannedRun:
    manifest = choice.bundle.manifest
    interval = cell.get("gop", options.interval) or manifest.gop
    turns = options.turns or 1
    if options.frames is not None and options.frames < interval * turns:
        each = " in each turn" if turns > 1 else ""
        raise OptionError(
            f"{counted(options.frames, 'frame')}{f' in {turns} turns' if each else ''} seen, expected at least "
            f"one GOP{each}: "
            f"--frames {interval * turns} or more, {'fewer --turns, ' if each else ''}or a smaller --interval"
        )
    live = source_from_uri(options.source).live
    paced = options.rate is not None and not live
    rate = options.rate if paced else None
    deadline = options.deadline_ms or (1e3 / options.rate if options.rate else None)
    settings = RunSettings(
        mode=mode.value,
        backend=choice.options.backend,
        fusion=choice.options.fusion,
        threads=choice.options.threads,
        precision=precision_of(choice.bundle),
        lr_scale=manifest.lr_scale,
        interval=interval,
        motion=cell.get("motion", options.motion),
        recode_scale=options.recode_scale,
        loop="open" if paced or live else "closed",
        rate=rate,
        deadline_ms=deadline if paced or live else None,
        stream=options.stream,
        unchecked=choice.options.unchecked,
    )
    return PlannedRun(choice, settings, options.source, group)


def _names(runs: Sequence[PlannedRun]) -> list[str]:
    """Bundle and mode, and what else differs between the runs."""
    told = {
        "backend": "{0.backend}",
        "threads": "{0.threads_in_words}",
        "interval": "GOP {0.interval}",
        "motion": "motion {0.motion}",
        "keyframes": "{0.keyframes} keyframes",
        "recode_scale": "recoded at {0.recode_scale:g}",
    }
    differing = [one.name for one in fields(RunSettings) if len({getattr(run.settings, one.name) for run in runs}) > 1]
    names = []
    for run in runs:
        more = [text.format(run.settings) for name, text in told.items() if name in differing]
        names.append(", ".join([run.choice.bundle.manifest.name, run.settings.mode, *more]))
    counts: dict[str, int] = {}
    for i, name in enumerate(names):
        counts[name] = counts.get(name, 0) + 1
        if counts[name] > 1:
            names[i] = f"{name} ({counts[name]})"
    return names


def _text(cell: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in cell.items())
