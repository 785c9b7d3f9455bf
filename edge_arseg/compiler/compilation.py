"""Compiling a bundle for a target: on a host everything up to the engines, on the board the engines too.

Every step that was finished is found again by the next run: a bundle that was written whole, a plan with its digest. So
the same command, typed again after an interruption, or on the board after the host, goes on where the last one stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edge_arseg.compiler.build_memory import check_memory, need_from_graph, workspace_from_memory
from edge_arseg.compiler.build_process import BuildJob, builder_from_name, result_from_job
from edge_arseg.compiler.bundle_writer import check_target
from edge_arseg.compiler.compile_options import CompileOptions
from edge_arseg.compiler.compile_steps import Step, StepState
from edge_arseg.compiler.engine_builder import BuildSettings, EngineBuilder
from edge_arseg.compiler.engine_place import Machine, Place, place_from_target, target_for, this_machine
from edge_arseg.compiler.kernel_build import kernels_from_sms
from edge_arseg.compiler.kernel_choice import KernelChoice, choice_from_target, lacking_kernels, renewable_kernels
from edge_arseg.compiler.plan_store import PlanStore
from edge_arseg.compiler.precision_choice import precisions_for_target
from edge_arseg.compiler.target_bundle import bundle_for_target, needs_conversion
from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundle import MANIFEST, SUFFIX, Bundle, read_bundle
from edge_arseg.spec.engine_key import EngineKey, engine_roots, graph_digests
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.spec.target import Target

Progress = Callable[[str], None]

BUNDLE_ADVICE = (
    "keep the engines in your own cache, where `run` looks too: --user-cache; or copy the bundle to where it can be "
    "written"
)
USER_CACHE_ADVICE = (
    "name a cache that can be written, for `compile` and for `run`: export XDG_CACHE_HOME=FOLDER; or copy the bundle "
    "to where it can be written and leave out --user-cache"
)


@dataclass(frozen=True, slots=True)
class Compilation:
    """What compiling came to, or would.

    Attributes:
        target: compiled for.
        place: where its engines are built.
        bundle: path of the compiled bundle.
        steps: in order, with their state.
        engines: folder of the plans; ``None`` where none are built here.
        warnings: of the engine library, by role.
    """

    target: Target
    place: Place
    bundle: Path
    steps: tuple[Step, ...]
    engines: Path | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Setting:
    """What every step looks at."""

    bundle: Bundle
    options: CompileOptions
    machine: Machine
    target: Target
    place: Place
    precisions: dict[Role, Precision]
    kernels: KernelChoice
    output: Path
    ready: Bundle | None  # what an earlier run wrote, or the bundle itself where it is for this target already


def plan_from_bundle(
    bundle: Bundle, target: str | None, options: CompileOptions, *, machine: Machine | None = None
) -> Compilation:
    """Say what ``compile_bundle`` would do, without doing any of it.

    Args:
        bundle: checked.
        target: id, ``local``, or ``None`` for the bundle's own or else this machine.
        options: see ``CompileOptions``.
        machine: instead of this one.

    Raises:
        OptionError, EnvironmentUnfitError: what was asked for cannot be had.
    """
    setting = _setting(bundle, target, options, machine or this_machine())
    steps = [_kernel_step(setting), _bundle_step(setting)]
    engines = None
    if setting.place.here and options.engines:
        builder = builder_from_name(options.builder)
        if setting.ready is None:  # digests of graphs that are not written yet are not known, so no plan is either
            steps += [
                Step(f"engine {role.value}", StepState.TODO, f"{_what(setting, builder)}") for role in options.roles
            ]
        else:
            store = _store(setting, setting.ready, builder)
            engines = store.folder
            steps += [_engine_step(setting, builder, store, role) for role in options.roles]
    else:
        steps.append(_no_engines(setting))
    return Compilation(setting.target, setting.place, setting.output, tuple(steps), engines)


def compile_bundle(
    bundle: Bundle,
    target: str | None,
    options: CompileOptions,
    *,
    machine: Machine | None = None,
    progress: Progress = lambda _: None,
) -> Compilation:
    """Compile a bundle, or go on with it.

    Args:
        bundle, target, options, machine: see ``plan_from_bundle``.
        progress: called with a line when a step begins, and while it lasts.

    Raises:
        OptionError: what was asked for cannot be had.
        EnvironmentUnfitError: a library, the GPU or the right GPU is missing.
        ExportError, BuildError: a graph cannot be converted, or an engine cannot be built.
        SinkError: bundle or engines cannot be written.
        MemoryExhaustedError: there is not enough memory.
    """
    setting = _setting(bundle, target, options, machine or this_machine())
    builds = setting.place.here and options.engines
    builder = builder_from_name(options.builder) if builds else None  # its library is missed now, not in an hour
    kernel_step, bundle_step = _kernel_step(setting), _bundle_step(setting)
    ready = setting.ready
    if ready is None:
        check_target(setting.output, force=options.force, inputs=[] if options.output is None else [bundle.path])
        if setting.kernels.sms:
            progress(f"compiling the {setting.kernels.why}")
        kernels = kernels_from_sms(setting.kernels.sms)
        ready = bundle_for_target(
            setting.bundle,
            setting.target,
            setting.precisions,
            setting.output,
            kernels=kernels,
            force=options.force,
            progress=progress,
        )
        bundle_step = replace(bundle_step, state=StepState.MADE)
        if kernels:
            kernel_step = replace(kernel_step, state=StepState.MADE)
    steps = [kernel_step, bundle_step]
    if builder is None:
        return Compilation(setting.target, setting.place, ready.path, (*steps, _no_engines(setting)), None)
    store = _store(setting, ready, builder)
    store.check_writable(USER_CACHE_ADVICE if options.user_cache else BUNDLE_ADVICE)
    warnings: list[str] = []
    for role in options.roles:
        step = _engine_step(setting, builder, store, role)
        if step.state is StepState.TODO:
            warnings += [f"{role.value}: {text}" for text in _build(setting, ready, store, role, progress)]
            size = (store.folder / f"{role.value}.plan").stat().st_size
            step = replace(step, state=StepState.MADE, detail=f"{size / 1e6:.1f} MB")
        steps.append(step)
    return Compilation(setting.target, setting.place, ready.path, tuple(steps), store.folder, tuple(warnings))


def _setting(bundle: Bundle, name: str | None, options: CompileOptions, machine: Machine) -> _Setting:
    target = target_for(name, bundle.manifest.target, machine)
    place = place_from_target(target, machine) if options.engines else Place(False, "left out with --no-engines")
    precisions = precisions_for_target(bundle.manifest, target, options.precisions, bundle=str(bundle.path))
    stem = bundle.manifest.name.removesuffix(f"-{bundle.manifest.target}")
    own = bundle.manifest.target == target.id and not needs_conversion(bundle, precisions)
    kernels = choice_from_target(target, machine.facts)
    if own and options.output is None:
        ready = None if options.force and renewable_kernels(bundle, kernels) else bundle
        return _Setting(bundle, options, machine, target, place, precisions, kernels, bundle.path, ready)
    output = options.output or bundle.path.with_name(f"{stem}-{target.id}{SUFFIX}")
    ready = None if options.force else _earlier(output, bundle, target, precisions)
    return _Setting(bundle, options, machine, target, place, precisions, kernels, output, ready)


def _earlier(output: Path, bundle: Bundle, target: Target, precisions: dict[Role, Precision]) -> Bundle | None:
    """Return what an earlier run of the same command wrote, if it did."""
    if not (output / MANIFEST).is_file():
        return None
    try:
        found = read_bundle(output)
    except BundleError:
        return None  # in the way, which is said when it is written
    manifest = found.manifest
    same = manifest.compiled_from == bundle.digest and manifest.target == target.id
    return found if same and {r: e.precision for r, e in manifest.graphs.items()} == precisions else None


def _kernel_step(setting: _Setting) -> Step:
    kernels = setting.kernels
    if setting.ready is not None:
        if lacking := lacking_kernels(setting.ready, kernels):
            named = ", ".join(f"sm_{sm}" for sm in lacking)
            why = f"the bundle has none of this version for {named}: the fuse graph is used; --force puts it in"
            return Step("kernels", StepState.NONE, why)
        if there := ", ".join(f"sm_{kernel.sm}" for kernel in setting.ready.manifest.kernels):
            return Step("kernels", StepState.DONE, f"fusion kernel for {there}")
        return Step("kernels", StepState.NONE, kernels.why)
    if kernels.sms:
        return Step("kernels", StepState.TODO, kernels.why)
    return Step("kernels", StepState.ELSEWHERE if kernels.missing else StepState.NONE, kernels.why)


def _bundle_step(setting: _Setting) -> Step:
    before = setting.bundle.manifest.graphs
    changes = [
        f"{role.value} {before[role].precision.value} to {precision.value}"
        for role, precision in setting.precisions.items()
        if before[role].precision is not precision
    ]
    detail = f"{setting.output} ({', '.join(changes) or 'graphs as they are'})"
    return Step("bundle", StepState.DONE if setting.ready else StepState.TODO, detail)


def _no_engines(setting: _Setting) -> Step:
    nothing = setting.target.kind.value == "cpu" or not setting.options.engines
    return Step("engines", StepState.NONE if nothing else StepState.ELSEWHERE, setting.place.why)


def _engine_step(setting: _Setting, builder: EngineBuilder, store: PlanStore, role: Role) -> Step:
    if store.has(role) and not setting.options.force:
        return Step(f"engine {role.value}", StepState.DONE, str(store.folder))
    return Step(f"engine {role.value}", StepState.TODO, _what(setting, builder))


def _what(setting: _Setting, builder: EngineBuilder) -> str:
    memory = setting.machine.board.memory
    scratch = _settings(setting).workspace_bytes >> 20
    return f"{builder.library} {builder.version}, {scratch} MiB of scratch memory, {memory.available / 1e9:.1f} GB free"


def _settings(setting: _Setting) -> BuildSettings:
    options = setting.options
    workspace = options.workspace_bytes or workspace_from_memory(setting.machine.board.memory)
    return BuildSettings(workspace, options.optimization_level)


def _store(setting: _Setting, ready: Bundle, builder: EngineBuilder) -> PlanStore:
    facts = setting.machine.facts
    assert facts is not None
    inside, cache = engine_roots(ready.path, ready.digest)
    key = EngineKey(
        graph_digests(ready.manifest),
        builder.library,
        builder.version,
        facts.compute_capability,
        facts.sm_count,
        facts.name,
        builder.flags(_settings(setting)),
    )
    return PlanStore(cache if setting.options.user_cache else inside, key)


def _build(setting: _Setting, ready: Bundle, store: PlanStore, role: Role, progress: Progress) -> tuple[str, ...]:
    """Build one engine in a child process and keep it; return what the library warned of."""
    entry, options = ready.manifest.graphs[role], setting.options
    settings = _settings(setting)
    graph = ready.graph_path(role)
    if options.memory_check:
        # what is free now: the build before this one has given its memory back
        memory = setting.machine.memory_now()
        check_memory(role.value, need_from_graph(entry, graph.stat().st_size, settings.workspace_bytes), memory)
    progress(f"building {role.value} ({entry.precision.value})")
    part = store.part(role)
    job = BuildJob(options.builder, role.value, graph, entry.precision, settings, part, store.timing_cache())
    try:
        result = result_from_job(job, progress)
        extra = {f"{role.value}.layers.json": result.layers} if result.layers else {}
        store.keep(role, part, extra)
    finally:
        part.unlink(missing_ok=True)
    store.keep_timing_cache(result.timing_cache)
    progress(f"built {role.value} in {result.seconds:.0f} s")
    return result.warnings
