"""Compiling a bundle for a target: on a host everything up to the engines, on the board the engines too.

Every step that was finished is found again by the next run: a bundle that was written whole, a plan with its digest.
The same command continues where the last one stopped: after an interruption, or on the board after the host.
A dry run walks the same list of steps and stops where it would begin to work.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from shlex import quote

from edge_arseg.compiler.engines.workshop import Workshop
from edge_arseg.compiler.machine import Machine, this_machine
from edge_arseg.compiler.target.bundle_steps import BundleStep, KernelStep
from edge_arseg.compiler.target.engine_steps import ElsewhereStep, EngineStep
from edge_arseg.compiler.target.options import CompileOptions, CompileSetting, setting_from_options
from edge_arseg.compiler.target.place import BuildPlace
from edge_arseg.compiler.target.steps import Step, StepReport, StepState
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.bundles.zoo import bundle_given
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.spec.progress import Announce, no_announcement
from edge_arseg.spec.targets.target import Kind, Target

SHOWN_FRAMES = 60
_OPTIONAL = {Role.FUSE, Role.LR_HEAD}
"""Graphs without an engine that a bundle with a fusion kernel runs without; ``verify`` wants them."""


@dataclass(frozen=True, slots=True)
class Compilation:
    """What compiling came to, or would.

    Attributes:
        target: compiled for.
        place: where its engines are built.
        bundle: path of the compiled bundle.
        steps: in order, with their state.
        engines: folder of the plans; ``None`` where none are built here, or where it is not known yet.
        missing: graphs of the bundle that have no engine there, nor one beside that was built with other flags.
        kernels: whether the bundle holds a fusion kernel.
        precisions: of every graph.
        warnings: of the engine library, by role.
    """

    target: Target
    place: BuildPlace
    bundle: Path
    steps: tuple[StepReport, ...]
    engines: Path | None = None
    missing: tuple[Role, ...] = ()
    kernels: bool = False
    warnings: tuple[str, ...] = ()
    precisions: Mapping[Role, Precision] = field(default_factory=dict)


def preview_compile(
    bundle: Bundle | str | PathLike[str], target: str | None, options: CompileOptions, *, machine: Machine | None = None
) -> Compilation:
    """Say what ``compile_bundle`` would do, without doing any of it, and refuse what it would refuse.

    Args:
        bundle: checked, or its path.
        target: id, ``local``, or ``None`` for the bundle's own or else this machine.
        options: see ``CompileOptions``.
        machine: instead of this one.

    Raises:
        ArsegError: see ``compile_bundle``; all but what only the work itself shows.
    """
    setting = setting_from_options(bundle_given(bundle), target, options, machine or this_machine())
    steps = steps_from_setting(setting)
    for step in steps:
        step.check()
    return _compilation(setting, steps)


def compile_bundle(
    bundle: Bundle | str | PathLike[str],
    target: str | None,
    options: CompileOptions,
    *,
    machine: Machine | None = None,
    progress: Announce = no_announcement,
) -> Compilation:
    """Compile a bundle, or continue it.

    Args:
        bundle, target, options, machine: see ``preview_compile``.
        progress: called with a line when a step begins, and while it lasts.

    Raises:
        OptionError: what was asked for is not possible.
        EnvironmentUnfitError: a library, the GPU or the right GPU is missing.
        ExportError, BuildError: a graph cannot be converted, or an engine cannot be built.
        SinkError: bundle or engines cannot be written.
        MemoryExhaustedError: there is not enough memory.
    """
    setting = setting_from_options(bundle_given(bundle), target, options, machine or this_machine())
    steps = steps_from_setting(setting)
    for step in steps:  # what cannot be done is said now, not in an hour
        step.check()
    for step in steps:
        if step.state() is StepState.TODO:
            step.run(progress)
    return _compilation(setting, steps)


def steps_from_setting(setting: CompileSetting) -> list[Step]:
    """List the steps of a compilation, in order.

    Raises:
        EnvironmentUnfitError: engines are built here, and their library is not installed.
    """
    kernels = KernelStep(setting)
    bundle = BundleStep(setting, kernels)
    if not setting.builds:
        return [kernels, bundle, ElsewhereStep(setting)]
    options = setting.options
    workshop = Workshop(
        options.builder,
        setting.machine,
        workspace_bytes=options.workspace_bytes,
        optimization_level=options.optimization_level,
    )
    return [kernels, bundle, *(EngineStep(setting, bundle, workshop, role) for role in setting.roles)]


def next_command(found: Compilation) -> str:
    """Return what to type next, or what to do on the board.

    Args:
        found: what was compiled.
    """
    bundle = quote(str(found.bundle))
    if found.engines is not None:
        if not found.missing:
            return f"edge-arseg verify {bundle} --backend tensorrt"
        if found.kernels and set(found.missing) <= _OPTIONAL:
            return f"{_run(found.bundle)} --backend tensorrt"
        return f"edge-arseg compile {bundle}"
    if found.target.kind is Kind.CPU:
        return _run(found.bundle)
    if found.target.tier == 3:
        return f"copy {bundle} to the board and type there: {_trtexec(found)}"
    if found.place.on_target:
        return f"edge-arseg compile {bundle}"
    return f"copy {bundle} to the board and type there: edge-arseg compile {quote(_name(found.bundle))}"


def _compilation(setting: CompileSetting, steps: Sequence[Step]) -> Compilation:
    builds = [step for step in steps if isinstance(step, EngineStep)]
    bundle = next(step for step in steps if isinstance(step, BundleStep))
    store = builds[0].store() if builds else None
    roles = () if store is None else tuple(setting.bundle.manifest.graphs)
    return Compilation(
        setting.target,
        setting.place,
        setting.output,
        tuple(step.report() for step in steps),
        None if store is None else store.folder,
        tuple(role for role in roles if store is not None and not store.has(role) and store.beside(role) is None),
        bundle.ready is not None and bool(bundle.ready.manifest.kernels),
        tuple(text for step in builds for text in step.warnings),
        setting.precisions,
    )


def _name(bundle: Path) -> str:
    """The name of a bundle's folder, also where the path is ``.``."""
    return os.path.basename(os.path.abspath(bundle))  # noqa: PTH100, PTH119 - a link stays a link


def _trtexec(found: Compilation) -> str:
    """Build the branches with TensorRT's own program; before 10.0 a flag has to allow what the graph computes in."""
    folder = quote(_name(found.bundle))
    flags = {Precision.FP32: "", Precision.FP16: " --fp16", Precision.INT8: " --int8 --fp16"}
    flags[Precision.MIXED] = flags[Precision.INT8]
    return " && ".join(
        f"trtexec --onnx={folder}/onnx/{role.value}.onnx --saveEngine={role.value}.plan{flags[precision]}"
        for role, precision in found.precisions.items()
        if role in (Role.HR, Role.LR)
    )


def _run(bundle: Path) -> str:
    """Run the bundle on a source that is there on every machine, into a file that is not there yet."""
    number, output = 1, Path(f"{bundle.stem}.mp4")
    while output.exists():
        number += 1
        output = Path(f"{bundle.stem}-{number}.mp4")
    return f"edge-arseg run test://street {quote(str(output))} --limit {SHOWN_FRAMES} -b {quote(str(bundle))}"
