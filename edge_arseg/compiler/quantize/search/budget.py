"""How few layers have to stay in float for the accuracy to hold, measured through the device flow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_arseg.compiler.quantize.options import QuantizeOptions
from edge_arseg.errors import DataError, GateError
from edge_arseg.evaluation.clip_scores import ClipOptions, scores_from_clip
from edge_arseg.evaluation.image_scores import ImageOptions, scores_from_images
from edge_arseg.evaluation.labels.files import fault_list
from edge_arseg.evaluation.labels.pairing import image_paths, label_paths, pairs_by_stem
from edge_arseg.evaluation.scores import Scores
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.runtime.choice.engine_choice import unproved
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode, modes_from_bundle
from edge_arseg.spec.manifest import Role
from edge_arseg.video.presence import refuse_missing
from edge_arseg.video.uri import source_from_uri

Scorer = Callable[[Bundle, tuple[Mode, ...]], Scores]
"""Scores a bundle in the modes named."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Scores bundles on the same labelled frames.

    Attributes:
        scorer: see ``Scorer``.
        modes: that are scored at the end.
        decides: the mode whose mIoU says whether a branch is good enough, by its role. ``hr`` comes first: ``ar``
            depends on both branches.
    """

    scorer: Scorer
    modes: tuple[Mode, ...]
    decides: Mapping[Role, Mode]


def judge_from_clip(clip: str, labels: Path, *, limit: int | None, engines: EngineOptions) -> Judge:
    """Score on a clip: HR alone decides on ``hr``, AR-Seg on ``lr``."""

    def scored(bundle: Bundle, modes: tuple[Mode, ...]) -> Scores:
        return scores_from_clip(unproved(bundle, engines), clip, labels, ClipOptions(modes=modes, limit=limit))

    return Judge(scored, (Mode.AR, Mode.HR), {Role.HR: Mode.HR, Role.LR: Mode.AR})


def judge_from_images(images: Path, labels: Path, *, limit: int | None, engines: EngineOptions) -> Judge:
    """Score on images: each branch alone decides on itself."""

    def scored(bundle: Bundle, modes: tuple[Mode, ...]) -> Scores:
        return scores_from_images(unproved(bundle, engines), images, labels, ImageOptions(modes=modes, limit=limit))

    return Judge(scored, (Mode.HR, Mode.LR), {Role.HR: Mode.HR, Role.LR: Mode.LR})


def judge_from_options(options: QuantizeOptions, bundle: Bundle) -> Judge | None:
    """Return a judge of the modes that a bundle can be run in; ``None`` without labels.

    Raises:
        DataError: labels or images are not there, or do not belong together: said now, and not when layers are ranked.
        SourceError: there is no such clip.
    """
    if options.labels is None:
        return None
    labels = label_paths(options.labels)
    if options.images is not None:
        _, faults = pairs_by_stem(image_paths(options.images), labels)
        if faults:
            raise DataError(fault_list(options.labels, faults))
    if options.clip is not None:
        refuse_missing(source_from_uri(options.clip))
    engines = EngineOptions(backend="onnxruntime", threads=options.threads)
    if options.clip is not None:
        judge = judge_from_clip(options.clip, options.labels, limit=options.limit, engines=engines)
    else:
        assert options.images is not None
        judge = judge_from_images(options.images, options.labels, limit=options.limit, engines=engines)
    able = modes_from_bundle(bundle)
    return replace(judge, modes=tuple(mode for mode in judge.modes if mode in able))


def drop_between(reference: Scores, seen: Scores, mode: Mode) -> float:
    """Return the points of mIoU that ``seen`` lies below ``reference``; below zero where it is better."""
    return reference.modes[mode.value].miou - seen.modes[mode.value].miou


def check_drop(judge: Judge, reference: Scores, seen: Scores, max_drop: float | None) -> None:
    """Refuse a result below the budget: of a branch in float16 there are no layers to keep.

    Raises:
        GateError: with what to type.
    """
    if max_drop is None:
        return
    for role, mode in judge.decides.items():
        if mode in judge.modes and (drop := drop_between(reference, seen, mode)) > max_drop:
            raise GateError(
                f"{role.value}: mIoU is {drop:.2f} points below float32, {max_drop:g} allowed; nothing was written. "
                f"Type --{role.value} fp32 or --fuse fp32, or a larger --max-drop"
            )


@dataclass(frozen=True, slots=True)
class BudgetTrial:
    """One measurement of the search.

    Attributes:
        kept: layers in float.
        drop: points of mIoU below float32, per cent.
    """

    kept: int
    drop: float


def layers_to_keep(count: int, drop: Callable[[int], float], max_drop: float) -> tuple[int | None, list[BudgetTrial]]:
    """Find how many of the most sensitive layers have to stay in float.

    Tries 0, 1, 2, 4, ... up to all, then halves the gap between the last that failed and the first that held. mIoU is
    not quite monotonous in the number of layers, so what comes out holds, but a smaller number might too.

    Args:
        count: of layers.
        drop: measures what is lost with so many of them in float, points of mIoU.
        max_drop: what may be lost.

    Returns:
        The number, ``None`` where not even all of them help, and what was measured on the way.
    """
    trials: list[BudgetTrial] = []

    def holds(kept: int) -> bool:
        trials.append(BudgetTrial(kept, drop(kept)))
        return trials[-1].drop <= max_drop

    failed = -1
    for kept in _steps(count):
        if holds(kept):
            break
        failed = kept
    else:
        return None, trials
    while kept - failed > 1:
        middle = (kept + failed) // 2
        if holds(middle):
            kept = middle
        else:
            failed = middle
    return kept, trials


def _steps(count: int) -> Sequence[int]:
    powers = [1 << power for power in range(count.bit_length()) if 1 << power < count]
    return list(dict.fromkeys([0, *powers, count]))
