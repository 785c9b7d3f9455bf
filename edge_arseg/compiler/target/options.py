"""The options of a compilation, and the setting that follows from them, decided before its steps are listed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge_arseg.arguments import check_kind, is_number, named
from edge_arseg.compiler.asked import precisions_named
from edge_arseg.compiler.engines.process import TENSORRT
from edge_arseg.compiler.kernels.choice import KernelChoice, choice_from_target
from edge_arseg.compiler.machine import Machine, choose_target
from edge_arseg.compiler.target.bundle import needs_conversion
from edge_arseg.compiler.target.place import BuildPlace, place_from_target
from edge_arseg.compiler.target.precision import precisions_from_target
from edge_arseg.errors import BundleError, OptionError
from edge_arseg.runtime.bundles.reading import MANIFEST, SUFFIX, Bundle, read_bundle
from edge_arseg.runtime.bundles.zoo import INT8, ZOO
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.spec.targets.target import Target


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """The options of ``compile``.

    Attributes:
        precisions: asked for, by role; graphs that are not named get the target's.
        output: bundle to write; ``None``: ``NAME-TARGET.arseg`` beside the one given, or here for a shipped one.
        force: replace a bundle that is there, and build engines that are there.
        engines: build them, where this is the machine for it.
        roles: graphs to build engines of; ``None``: all that the bundle has.
        user_cache: keep the engines in the user's cache instead of the bundle.
        workspace_bytes: scratch memory of a build; ``None``: from the size of the machine's memory.
        optimization_level: of a build, 0 to 5; ``None``: the library's.
        memory_check: refuse builds that there is not enough memory for.
        builder: ``module:class`` of the builder.
    """

    precisions: Mapping[Role, Precision] = field(default_factory=dict)
    output: Path | str | None = None
    force: bool = False
    engines: bool = True
    roles: tuple[Role, ...] | None = None
    user_cache: bool = False
    workspace_bytes: int | None = None
    optimization_level: int | None = None
    memory_check: bool = True
    builder: str = TENSORRT

    def __post_init__(self) -> None:
        """Take names for roles and precisions; refuse what no build takes.

        Raises:
            OptionError: a name or a number is none of those that there are.
        """
        object.__setattr__(self, "precisions", precisions_named(self.precisions))
        if self.roles is not None:
            check_kind("roles", self.roles, Iterable, "a tuple of roles, such as ('hr', 'lr')")
            roles = (self.roles,) if isinstance(self.roles, str) else self.roles
            object.__setattr__(self, "roles", tuple(named(Role, role, "role") for role in roles))
        for what, number, least, most in (
            ("bytes of scratch memory", self.workspace_bytes, 16 << 20, 1 << 50),
            ("as a level", self.optimization_level, 0, 5),
        ):
            if number is not None and not is_number(number, least, most, whole=True):
                raise OptionError(f"{number!r} {what} seen, expected a whole number from {least} to {most}")


@dataclass(frozen=True, slots=True)
class CompileSetting:
    """What every step looks at.

    Attributes:
        bundle: to start from.
        options: of the user.
        machine: this one.
        target: compiled for.
        place: where its engines are built.
        precisions: of every graph.
        kernels: GPU architectures that the fusion kernel is compiled for.
        roles: graphs that engines are built of.
        output: the bundle to write, or ``bundle`` itself where it is for the target already.
        ready: what an earlier run wrote there; ``None``: it is to be written.
    """

    bundle: Bundle
    options: CompileOptions
    machine: Machine
    target: Target
    place: BuildPlace
    precisions: dict[Role, Precision]
    kernels: KernelChoice
    roles: tuple[Role, ...]
    output: Path
    ready: Bundle | None

    @property
    def builds(self) -> bool:
        """Whether engines are built on this machine."""
        return self.place.here and self.options.engines


def setting_from_options(bundle: Bundle, name: str | None, options: CompileOptions, machine: Machine) -> CompileSetting:
    """Decide.

    Args:
        bundle: checked.
        name: of the target; ``local``; or ``None`` for the bundle's own or else this machine.
        options: of the user.
        machine: this one.

    Raises:
        OptionError, EnvironmentUnfitError: what was asked for is not possible.
    """
    check_kind("options", options, CompileOptions, "CompileOptions(...)")
    target = choose_target(name, bundle.manifest.target, machine)
    if options.engines:
        place = place_from_target(target, machine)
    else:
        place = BuildPlace(False, "left out with --no-engines", machine.board.target == target.id)
    precisions = precisions_from_target(bundle.manifest, target, options.precisions, bundle=str(bundle.path))
    roles = _roles(bundle, options)
    stem = bundle.stem.removesuffix(f"-{bundle.manifest.target}")
    converted = needs_conversion(bundle, precisions)
    own = bundle.manifest.target == target.id and not converted
    if converted:
        stem = stem.removesuffix(INT8)  # of integers that the result does not have
    kernels = KernelChoice({}, "no fusion, so no kernel")
    if not bundle.manifest.hr_only:
        kernels = choice_from_target(target, machine.facts)
    if own and options.output is None:
        output = bundle.path
        ready = None if options.force and kernels.renewable(bundle) else bundle
    else:
        beside = bundle.path.parent if bundle.path.name else bundle.folder.parent
        folder = Path() if beside == ZOO else beside  # nothing is written into the package
        output = Path(folder / f"{stem}-{target.id}{SUFFIX}" if options.output is None else options.output)
        ready = None if options.force else _earlier(output, bundle, target, precisions)
    return CompileSetting(bundle, options, machine, target, place, precisions, kernels, roles, output, ready)


def _roles(bundle: Bundle, options: CompileOptions) -> tuple[Role, ...]:
    """Return the graphs that engines are asked of: all that the bundle has, or those named."""
    there = bundle.manifest.graphs
    lacking = [role for role in options.roles or () if role not in there]
    if lacking:
        named = " ".join(f"--graph {role.value}" for role in lacking)
        raise OptionError(f"{named}: the bundle has no such graph (it has {', '.join(role.value for role in there)})")
    return options.roles or tuple(role for role in Role if role in there)


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
