"""Trying a bundle on a backend: do its golden frames get the right classes here, and how long does a frame take?"""

import time
from dataclasses import dataclass, replace

import numpy as np

from edge_arseg.errors import ArsegError, EnvironmentUnfitError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.pipeline import Pipeline, open_pipeline
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec.weights import GoldenFrames

_ROUNDS, _SECONDS = 5, 0.3
"""Frames of each kind are timed at least so often, and for at least so long."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a bundle on a backend.

    Attributes:
        bundle: its name.
        backend: its name.
        agreement: share of the golden pixels, 0 to 1, that got the expected class, of the worst frame; ``None``: did
            not run.
        frame_ms: mean over a GOP of the bundle's length, from the fastest keyframe and the fastest frame between;
            ``None`` where it was not timed.
        reason: why it did not run, one line; empty where it did.
        exit_code: of the error that kept it from running; 0 where it ran.
        lasting: whether it would end so again: not where memory was short, or a GPU not as it usually is.
    """

    bundle: str
    backend: str
    agreement: float | None
    frame_ms: float | None
    reason: str = ""
    exit_code: int = 0
    lasting: bool = True

    def passes(self, required: float) -> bool:
        """Return whether at least the share ``required``, 0 to 1, of the pixels got the expected class."""
        return self.agreement is not None and self.agreement >= required


def trial_of(bundle: Bundle, mode: Mode, options: EngineOptions, *, required: float, timed: bool = True) -> Trial:
    """Run the golden frames through what would run, and time it where they get the right classes.

    Args:
        bundle: checked.
        mode: see ``Mode``.
        options: with a backend named.
        required: share of the pixels that must get the expected class, 0 to 1, for it to be timed.
        timed: whether it is timed at all.

    Raises:
        BundleError, BuildError, OptionError, EnvironmentUnfitError: see ``open_pipeline``.
        BundleError: the golden frames cannot be read.
    """
    golden = bundle.golden_frames()
    with open_pipeline(bundle, mode, options) as pipeline:
        worst = _worst_agreement(pipeline, mode, golden)
        trial = Trial(bundle.manifest.name, options.backend, worst, None)
        if timed and trial.passes(required):
            return replace(trial, frame_ms=_frame_ms(pipeline, golden, bundle.manifest.gop))
        return trial


def attempt_of(bundle: Bundle, mode: Mode, options: EngineOptions, *, required: float) -> Trial:
    """The same for one candidate of several: where it does not run, the trial says why."""
    try:
        return trial_of(bundle, mode, options, required=required)
    except Exception as error:  # whatever ails one library must not keep the others from running
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        if not isinstance(error, ArsegError):
            reason = f"{type(error).__name__}: {reason}"
        lasting = isinstance(error, ArsegError) and not error.transient
        code = error.exit_code if isinstance(error, ArsegError) else EnvironmentUnfitError.exit_code
        return Trial(bundle.manifest.name, options.backend, None, None, reason, code, lasting)


def _worst_agreement(pipeline: Pipeline, mode: Mode, golden: GoldenFrames) -> float:
    maps = {Mode.AR: golden.ar_maps, Mode.HR: golden.hr_maps, Mode.LR: golden.lr_maps}[mode]
    return min(float(np.mean(_class_map(pipeline, golden, i) == expected)) for i, expected in enumerate(maps))


def _frame_ms(pipeline: Pipeline, golden: GoldenFrames, gop: int) -> float:
    """The fastest of a few: on a busy machine the others measure who else is on it."""
    between = min(1, len(golden.frames) - 1)
    fastest = {0: float("inf"), between: float("inf")}
    begun, rounds = time.perf_counter(), 0
    while rounds < _ROUNDS or time.perf_counter() - begun < _SECONDS:
        rounds += 1
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
