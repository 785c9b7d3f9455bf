"""``auto``: the fastest backend that gives the right class maps, on this machine and for this bundle."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from edge_arseg.errors import ArsegError, EnvironmentUnfitError
from edge_arseg.runtime.bundle import Bundle
from edge_arseg.runtime.engine_options import EngineOptions
from edge_arseg.runtime.pipeline import Mode, Pipeline, pipeline_from_bundle
from edge_arseg.runtime.stages import StageClock
from edge_arseg.runtime.verification import required_agreement
from edge_arseg.spec.golden import GoldenFrames

AUTO = "auto"
CANDIDATES = ("tensorrt", "openvino-bf16", "openvino", "onnxruntime-cuda", "onnxruntime")
"""Backends that ``auto`` tries. ``onnxruntime-tensorrt`` is not one: it builds for minutes where it has not run yet."""

_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one candidate.

    Attributes:
        backend: its name.
        frame_ms: mean over a GOP of the bundle's length, from the fastest keyframe and the fastest frame between;
            ``None`` where it did not qualify.
        agreement: share of the golden pixels that got the expected class, of the worst frame; ``None``: did not run.
        reason: why it did not qualify, one line; empty where it did.
    """

    backend: str
    frame_ms: float | None
    agreement: float | None
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.backend} {self.frame_ms:.1f} ms" if self.frame_ms else f"{self.backend}: {self.reason}"


@dataclass(frozen=True, slots=True)
class BackendChoice:
    """The outcome of ``auto``: the trials, of which the fastest one that qualified was taken."""

    trials: tuple[Trial, ...]

    @property
    def backend(self) -> str:
        """The one taken."""
        return min((trial for trial in self.trials if trial.frame_ms), key=lambda trial: trial.frame_ms or 0).backend

    def __str__(self) -> str:
        lines = "\n".join(f"  {trial}" for trial in self.trials)
        return f"backend: {self.backend} is the fastest here that passes\n{lines}"


def settled_options(bundle: Bundle, mode: Mode, options: EngineOptions) -> tuple[EngineOptions, BackendChoice | None]:
    """Return options that name a backend: as they are, or with what ``auto`` finds.

    Raises:
        EnvironmentUnfitError: no candidate gives the right class maps.
    """
    if options.backend != AUTO:
        return options, None
    choice = choice_from_bundle(bundle, mode, options)
    return replace(options, backend=choice.backend), choice


def choice_from_bundle(
    bundle: Bundle, mode: Mode, options: EngineOptions, *, candidates: tuple[str, ...] = CANDIDATES
) -> BackendChoice:
    """Run the golden frames through every candidate, one after the other, and time those that pass.

    It takes a few seconds and is done at every start: what is installed, and who else uses the machine, changes.

    Raises:
        EnvironmentUnfitError: none passes; with the reason of each.
    """
    golden = bundle.golden_frames()
    trials = tuple(_trial(bundle, mode, replace(options, backend=name), golden) for name in candidates)
    if not any(trial.frame_ms for trial in trials):
        lines = "\n".join(f"  {trial}" for trial in trials)
        raise EnvironmentUnfitError(f"no backend runs {bundle.path} as it should; see `edge-arseg doctor`\n{lines}")
    return BackendChoice(trials)


def _trial(bundle: Bundle, mode: Mode, options: EngineOptions, golden: GoldenFrames) -> Trial:
    try:
        with ExitStack() as stack:
            pipeline = pipeline_from_bundle(bundle, stack, mode=mode, options=options)
            worst = _worst_agreement(pipeline, mode, golden)
            if worst < (wanted := required_agreement(bundle.manifest)):
                reason = f"{worst:.2%} of the pixels agree, {wanted:.2%} expected"
                return Trial(options.backend, None, worst, reason)
            return Trial(options.backend, _frame_ms(pipeline, golden, bundle.manifest.gop), worst)
    except ArsegError as error:
        return Trial(options.backend, None, None, str(error).splitlines()[0])


def _worst_agreement(pipeline: Pipeline, mode: Mode, golden: GoldenFrames) -> float:
    maps = {Mode.AR: golden.ar_maps, Mode.HR: golden.hr_maps, Mode.LR: golden.lr_maps}[mode]
    return min(float(np.mean(_class_map(pipeline, golden, i) == expected)) for i, expected in enumerate(maps))


def _frame_ms(pipeline: Pipeline, golden: GoldenFrames, gop: int) -> float:
    """The fastest of a few: on a busy machine the others measure who else is on it."""
    between = min(1, len(golden.frames) - 1)
    fastest = {0: float("inf"), between: float("inf")}
    for _ in range(_ROUNDS):
        for i in fastest:
            start = time.perf_counter_ns()
            _class_map(pipeline, golden, i)
            fastest[i] = min(fastest[i], (time.perf_counter_ns() - start) / 1e6)
    return (fastest[0] + (gop - 1) * fastest[between]) / gop


def _class_map(pipeline: Pipeline, golden: GoldenFrames, i: int) -> np.ndarray:
    clock = StageClock()
    if golden.distances[i] == 0:
        return pipeline.key(golden.frames[i], clock)
    return pipeline.between(golden.frames[i], golden.flows[i], clock)
