"""What happens to one frame: which engines it runs through, by mode.

``ar`` is AR-Seg: keyframes through the HR branch, the frames between through the LR branch and the fusion. ``hr`` and
``lr`` run every frame through one branch, to compare with.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import ExitStack
from enum import Enum

import numpy as np

from edge_arseg.errors import EnvironmentUnfitError, OptionError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import Buffer, Engine
from edge_arseg.runtime.engines.opening import engine_class, engines_from_bundle
from edge_arseg.runtime.engines.options import DEFAULT_ENGINES, EngineOptions
from edge_arseg.runtime.fusion.contract import Fusion, fusion_choice
from edge_arseg.runtime.fusion.opening import fusion_from_bundle
from edge_arseg.runtime.head import Decoder, GraphDecoder, KernelDecoder
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec import tensor as names
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.graph_contract import check_graphs
from edge_arseg.spec.manifest import Role


class Mode(str, Enum):
    """How frames are run."""

    AR = "ar"
    HR = "hr"
    LR = "lr"


def modes_from_bundle(bundle: Bundle) -> tuple[Mode, ...]:
    """Return the modes that a bundle can be run in: all, or ``hr`` where it has the HR branch alone."""
    return (Mode.HR,) if bundle.manifest.hr_only else tuple(Mode)


def settled_mode(bundle: Bundle, mode: Mode | None) -> Mode:
    """Return the mode asked for, else the bundle's own: ``ar``, or ``hr`` where it has the HR branch alone.

    Raises:
        OptionError: a mode that needs a branch which the bundle has not.
    """
    able = modes_from_bundle(bundle)
    if mode is not None and mode not in able:
        raise OptionError(
            f"{bundle.path}: has the HR branch alone, mode {mode.value} needs the LR branch too; type --mode hr, or "
            "train the LR branch (edge-arseg train lr) and export again"
        )
    return mode or able[0]


def modes_to_run(bundle: Bundle | None, asked: Sequence[Mode], usual: Sequence[Mode]) -> tuple[Mode, ...]:
    """Return the modes asked for; where there are none, those of ``usual`` that the bundle can be run in.

    Args:
        bundle: ``None``: one in the package, which has both branches.
        asked: by the user.
        usual: in their order; at least one is ``hr``.

    Raises:
        OptionError: a mode that needs a branch which the bundle has not.
    """
    if bundle is None:
        return tuple(asked or usual)
    able = modes_from_bundle(bundle)
    return tuple(settled_mode(bundle, mode) for mode in asked) or tuple(mode for mode in usual if mode in able)


class Pipeline(ABC):
    """Frames to class maps. Every class map is ``[H, W] uint8``, a buffer that the next frame overwrites.

    Attributes:
        uses_motion: whether ``between`` looks at the flow.
        label: what runs, for results: mode, fusion and backend.
    """

    uses_motion = False
    label: str

    @abstractmethod
    def key(self, rgb: np.ndarray, clock: StageClock) -> np.ndarray:
        """Class map of a keyframe ``[H, W, 3] uint8``."""

    @abstractmethod
    def between(self, rgb: np.ndarray, flow: np.ndarray, clock: StageClock) -> np.ndarray:
        """Class map of a frame between keyframes, with its flow to the last one (``MotionField.flow``, contiguous)."""

    def branch(self, branch: Branch) -> Branch:
        """Return the branch that a frame really runs through."""
        return branch


class ArPipeline(Pipeline):
    """HR branch for keyframes, LR branch and fusion between them; the keyframe's feature stays where it was made."""

    uses_motion = True

    def __init__(self, hr: Engine, lr: Engine, fusion: Fusion):
        self._hr, self._lr, self._fusion = hr, lr, fusion
        self._key_feature: Buffer = None

    def key(self, rgb: np.ndarray, clock: StageClock) -> np.ndarray:
        """See ``Pipeline``."""
        with clock.stage("hr"):
            outputs = self._hr.run({names.FRAME: rgb})
        self._key_feature = outputs[names.FEATURE]
        return outputs[names.CLASS_MAP]

    def between(self, rgb: np.ndarray, flow: np.ndarray, clock: StageClock) -> np.ndarray:
        """See ``Pipeline``."""
        with clock.stage("lr"):
            lr_feature = self._lr.run({names.FRAME: rgb})[names.LR_FEATURE]
        return self._fusion.class_map(self._key_feature, flow, lr_feature, clock)


class HrPipeline(Pipeline):
    """HR branch for every frame."""

    def __init__(self, hr: Engine):
        self._hr = hr

    def key(self, rgb: np.ndarray, clock: StageClock) -> np.ndarray:
        """See ``Pipeline``."""
        with clock.stage("hr"):
            return self._hr.run({names.FRAME: rgb})[names.CLASS_MAP]

    def between(self, rgb: np.ndarray, flow: np.ndarray, clock: StageClock) -> np.ndarray:
        """See ``Pipeline``; the flow is not used."""
        return self.key(rgb, clock)

    def branch(self, branch: Branch) -> Branch:
        """Return HR."""
        return Branch.HR


class LrPipeline(Pipeline):
    """LR branch alone for every frame, without fusion."""

    def __init__(self, lr: Engine, decoder: Decoder):
        self._lr, self._decoder = lr, decoder

    def key(self, rgb: np.ndarray, clock: StageClock) -> np.ndarray:
        """See ``Pipeline``."""
        with clock.stage("lr"):
            lr_feature = self._lr.run({names.FRAME: rgb})[names.LR_FEATURE]
        with clock.stage("head"):
            return self._decoder.class_map(lr_feature)

    def between(self, rgb: np.ndarray, flow: np.ndarray, clock: StageClock) -> np.ndarray:
        """See ``Pipeline``; the flow is not used."""
        return self.key(rgb, clock)

    def branch(self, branch: Branch) -> Branch:
        """Return LR."""
        return Branch.LR


def pipeline_from_bundle(
    bundle: Bundle,
    stack: ExitStack,
    *,
    mode: Mode | None = None,
    options: EngineOptions = DEFAULT_ENGINES,
) -> Pipeline:
    """Open the engines that a mode needs, and no others.

    Args:
        bundle: checked.
        stack: closes the engines.
        mode: see ``Mode``; ``None``: the bundle's own, see ``settled_mode``.
        options: see ``EngineOptions``.

    Raises:
        OptionError, EnvironmentUnfitError: a choice that cannot be had here.
        BundleError, BuildError: a graph cannot be opened.
    """
    mode = settled_mode(bundle, mode)
    place, choice = engine_class(options.backend).feature_place, "graph"
    check_graphs(bundle.manifest, bundle.manifest.graphs, where=str(bundle.path))  # shapes are taken from it below
    if not bundle.manifest.hr_only:
        feature_type = bundle.manifest.graphs[Role.FUSE].inputs[names.KEY_FEATURE].dtype
        choice = fusion_choice(options.fusion, place, feature_type)
    roles = {Mode.AR: (Role.HR, Role.LR), Mode.HR: (Role.HR,), Mode.LR: (Role.LR,)}[mode]
    engines = stack.enter_context(engines_from_bundle(bundle, roles, backend=options.backend, threads=options.threads))
    pipeline: Pipeline
    kind = ""
    if mode is Mode.HR:
        pipeline = HrPipeline(engines[Role.HR])
    elif mode is Mode.LR:
        decoder = _lr_decoder(bundle, stack, choice, place, options)
        pipeline, kind = LrPipeline(engines[Role.LR], decoder), f", {decoder.name} head"
    else:
        fusion = fusion_from_bundle(bundle, stack, choice, place, options)
        pipeline, kind = ArPipeline(engines[Role.HR], engines[Role.LR], fusion), f", {fusion.name} fusion"
    pipeline.label = f"{mode.value}{kind}, {options.backend}"
    return pipeline


def _lr_decoder(bundle: Bundle, stack: ExitStack, choice: str, place: str, options: EngineOptions) -> Decoder:
    if choice == "kernel" and place == "host":
        return KernelDecoder(bundle, Role.LR_HEAD, threads=options.threads)
    if choice == "kernel":
        raise EnvironmentUnfitError(
            "--fusion kernel: nothing is fused in mode lr, and no kernel decodes on the GPU; run with --fusion auto"
        )
    engines = engines_from_bundle(bundle, [Role.LR_HEAD], backend=options.backend, threads=options.threads)
    return GraphDecoder(stack.enter_context(engines)[Role.LR_HEAD])
