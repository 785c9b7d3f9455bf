"""Running a bundle's golden frames through engines, and comparing the class maps."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike

import numpy as np

from edge_arseg.arguments import is_number, refusal_of
from edge_arseg.errors import BuildError, EnvironmentUnfitError, GateError
from edge_arseg.runtime.bundles.gate import gate_text, required_agreement
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.bundles.zoo import bundle_given
from edge_arseg.runtime.choice.engine_choice import Choice, choice_from_options
from edge_arseg.runtime.engines.contract import AUTO, Engine, EngineOptions
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.runtime.fusion.checked_kernel import CheckedKernel
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Manifest, Role
from edge_arseg.spec.weights import GoldenFrames

VERIFIED_ROLES = (Role.HR, Role.LR, Role.FUSE, Role.HEAD, Role.LR_HEAD)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Share of pixels, 0 to 1, whose class is the expected one.

    Attributes:
        output: ``hr``, ``lr``, ``ar`` (the ``fuse`` graph), ``head`` (the ``head`` graph behind ``fuse``) or ``kernel``
            (the same behind the CUDA fusion kernel).
        distance: frames since the keyframe.
        agreement: 1.0 is every pixel.
    """

    output: str
    distance: int
    agreement: float


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying a bundle came to.

    Attributes:
        bundle: its files are as they were written.
        backend: engine library.
        chosen: how it was chosen, in words.
        rows: every output at every distance.
        min_agreement: share of the pixels, 0 to 1, that must get the expected class.
        gate: the same in words, and why it is not the usual one.
        kernel: file of the CUDA fusion kernel that was checked too; ``None``: none was.
        kernel_not_run: why; empty where it ran.
    """

    bundle: Bundle
    backend: str
    chosen: str
    rows: tuple[Agreement, ...]
    min_agreement: float
    gate: str
    kernel: str | None
    kernel_not_run: str

    @property
    def worst(self) -> Agreement:
        """The output that agrees least."""
        return min(self.rows, key=lambda row: row.agreement)

    @property
    def passed(self) -> bool:
        """Whether every output agrees well enough."""
        return self.worst.agreement >= self.min_agreement

    def require(self) -> None:
        """Refuse a bundle that did not pass.

        Raises:
            GateError: an output agrees less than it must.
        """
        if not self.passed:
            raise GateError(
                f"{self.worst.output} at distance {self.worst.distance}: {self.worst.agreement:.4%} of the pixels "
                f"agree, {self.min_agreement:.4%} expected (gate: {self.gate})"
            )


def verify_bundle(
    bundle: Choice | Bundle | str | PathLike[str], *, backend: str = AUTO, min_agreement: float | None = None
) -> Verification:
    """Check every file's digest, then the golden frames through every graph.

    The CUDA fusion kernel is checked with them where the bundle holds one for the GPU that is here, whatever the
    backend.

    Args:
        bundle: its folder; or a choice, whose backend runs.
        backend: engine library; ``auto``: what ``run`` would take; where none passes, the one that agrees most.
        min_agreement: share of the pixels, 0 to 1, that must get the expected class; ``None``: the bundle's own gate.

    Raises:
        BundleError: the bundle is missing or damaged.
        OptionError, EnvironmentUnfitError, BuildError: no engine runs it here; or no such share.
    """
    if min_agreement is not None and not is_number(min_agreement, 0, 1):
        raise refusal_of("an agreement of", min_agreement, "a share of the pixels, 0 to 1")
    if isinstance(bundle, Choice):
        choice = bundle
    else:
        read = bundle_given(bundle)
        options = EngineOptions(backend=backend)
        if backend == AUTO:
            choice = choice_from_options(read, tuple(Mode), options, gate=False)
        else:
            choice = Choice(read, options, "as named")
    checked, backend = choice.bundle, choice.options.backend
    golden = checked.golden_frames()
    checked.check_weights()
    gate = gate_text(checked.manifest) if min_agreement is None else f"{min_agreement:.2%}, as asked for"
    if min_agreement is None:
        min_agreement = required_agreement(checked.manifest)
    with ExitStack() as stack:
        engines = stack.enter_context(engines_from_bundle(checked, verified_roles(checked.manifest), backend=backend))
        kernel, not_run = None, ""
        try:
            kernel = stack.enter_context(CheckedKernel(checked))
        except (BuildError, EnvironmentUnfitError) as error:
            not_run = str(error)
        rows = tuple(agreements(engines, golden, kernel))
    file = None if kernel is None else kernel.file
    return Verification(checked, backend, choice.how, rows, min_agreement, gate, file, not_run)


def verified_roles(manifest: Manifest) -> tuple[Role, ...]:
    """Return the graphs that are checked: all that the bundle has."""
    return tuple(role for role in VERIFIED_ROLES if role in manifest.graphs)


def agreements(
    engines: Mapping[Role, Engine], golden: GoldenFrames, kernel: CheckedKernel | None = None
) -> list[Agreement]:
    """Run every golden frame through every path and compare.

    Args:
        engines: of all ``verified_roles``.
        golden: frames, flows and expected class maps; the first frame is the keyframe.
        kernel: fuses too, with the features of ``engines``, where there is a GPU for it.
    """
    rows = []
    key_feature = None
    for i, frame in enumerate(golden.frames):
        distance = int(golden.distances[i])
        hr = engines[Role.HR].run({names.FRAME: frame})
        rows.append(Agreement("hr", distance, _agreement(hr[names.CLASS_MAP], golden.hr_maps[i])))
        if Role.LR not in engines:
            continue
        if key_feature is None:
            key_feature = np.array(hr[names.FEATURE])  # the next frame goes through the HR engine too
        lr_feature = engines[Role.LR].run({names.FRAME: frame})[names.LR_FEATURE]
        lr = engines[Role.LR_HEAD].run({names.LR_FEATURE: lr_feature})
        rows.append(Agreement("lr", distance, _agreement(lr[names.CLASS_MAP], golden.lr_maps[i])))
        if distance == 0:
            continue
        fused = engines[Role.FUSE].run(
            {names.KEY_FEATURE: key_feature, names.FLOW: golden.flows[i], names.LR_FEATURE: lr_feature}
        )
        rows.append(Agreement("ar", distance, _agreement(fused[names.CLASS_MAP], golden.ar_maps[i])))
        head = engines[Role.HEAD].run({names.FUSED_FEATURE: fused[names.FUSED_FEATURE]})
        rows.append(Agreement("head", distance, _agreement(head[names.CLASS_MAP], golden.ar_maps[i])))
        if kernel is not None:
            moved = kernel.fuse(key_feature, golden.flows[i], np.array(lr_feature))
            head = engines[Role.HEAD].run({names.FUSED_FEATURE: moved})
            rows.append(Agreement("kernel", distance, _agreement(head[names.CLASS_MAP], golden.ar_maps[i])))
    return rows


def agreements_of_bundle(bundle: Bundle, *, threads: int | None = None) -> list[Agreement]:
    """Open all graphs of a bundle on ONNX Runtime, run every golden frame and compare; see ``agreements``.

    Args:
        bundle: checked.
        threads: of the engines; ``None``: all cores.

    Raises:
        BuildError: a graph cannot be opened.
    """
    with engines_from_bundle(bundle, verified_roles(bundle.manifest), threads=threads) as engines:
        return agreements(engines, bundle.golden_frames())


def _agreement(seen: np.ndarray, expected: np.ndarray) -> float:
    return float(np.mean(seen == expected))
