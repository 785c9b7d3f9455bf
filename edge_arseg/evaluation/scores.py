"""Scores of a bundle, and how they are written down."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.evaluation.confusion import iou_from_confusion, mean_iou, mean_or_nan
from edge_arseg.evaluation.labels.files import LabelFile
from edge_arseg.runtime.choice.engine_choice import Choice


@dataclass(frozen=True, slots=True)
class FrameScore:
    """One labelled frame: its index in the clip, its distance from the keyframe, and its mIoU, per cent."""

    frame: int
    distance: int
    miou: float


@dataclass(frozen=True, slots=True)
class ModeScores:
    """How well one mode does. All scores are per cent, 0 to 100; ``nan`` where there was nothing to score.

    Attributes:
        label: what ran: mode, fusion, backend.
        miou: the mean over the distances of the mIoU at each distance, as the AR-Seg paper reports it; for images,
            which have no distance, the same as ``miou_pooled``.
        miou_pooled: mIoU of all pixels together.
        per_class: IoU of each class by name, of all pixels together; ``nan`` for a class that does not occur.
        by_distance: mIoU at each distance from the keyframe, 0 first; ``nan`` for a distance that no scored frame had;
            empty for images.
        worst_distance: the distance with the lowest mIoU; ``None`` for images.
        temporal_consistency: followed pixels that keep their class; see ``Consistency``. ``nan`` for images.
        flicker: followed pixels whose class leaves and comes back at once. ``nan`` for images.
        flow_consistency: TC, mean IoU with the map before, moved by optical flow; see ``FlowConsistency``.
            ``None`` where it was not asked for.
        unmeasured: distances below the interval that no scored frame had, first and last of each range: ``miou`` does
            not include them.
        frames: labelled frames or images that were scored, each counted once.
        maps: class maps that were scored: a frame scored at three distances counts three times.
        broken_steps: frames between keyframes to which no vector at all led, at any phase: the chain of motion to the
            keyframe is broken there.
        motion_source: where the vectors came from: ``codec``, ``recode`` or ``zero``; ``None`` for images.
        motion_reason: why they come from there.
        worst_frames: the ten with the lowest mIoU of their own, the lowest first; none for images.
    """

    label: str
    miou: float
    miou_pooled: float
    per_class: Mapping[str, float]
    by_distance: tuple[float, ...]
    worst_distance: int | None
    temporal_consistency: float
    flicker: float
    frames: int
    maps: int
    broken_steps: int = 0
    motion_source: str | None = None
    motion_reason: str | None = None
    worst_frames: tuple[FrameScore, ...] = ()
    flow_consistency: float | None = None
    unmeasured: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreConditions:
    """What the scores hold for.

    Attributes:
        source: clip or folder of images, without where it lies on this machine.
        frame_size: rows and columns that the bundle works at.
        label_sizes: rows and columns of the labels, the resolution that is scored at, each that occurs.
        counted: share of the labels' pixels that have a class, per cent; the rest is ignored.
        interval: frames from keyframe to keyframe; ``None`` for images.
        phases: frames on which the first keyframe was set; empty for images.
        first_frame: the first frame that is scored, at every phase: the largest phase.
        scene_cut: share of a frame without vectors that made it a keyframe early; ``None``: keyframes at fixed
            distances.
        encoding: how the frames were encoded for this evaluation; ``None``: the clip as it is.
        recode_scale: size that frames were recoded at, where vectors came from recoding, as a share; ``None`` for
            images.
        limit: only so many frames or images were used; ``None``: all.
        backend: engine library.
        chosen: how bundle and backend were chosen, in words.
        agreement: share of the bundle's golden pixels that get the expected class here, 0 to 1; ``None``: not run.
        unchecked: whether too low an agreement was let pass.
    """

    source: str
    frame_size: tuple[int, int]
    label_sizes: tuple[tuple[int, int], ...]
    counted: float
    interval: int | None = None
    phases: tuple[int, ...] = ()
    first_frame: int = 0
    scene_cut: float | None = None
    encoding: str | None = None
    recode_scale: float | None = None
    limit: int | None = None
    backend: str = ""
    chosen: str = ""
    agreement: float | None = None
    unchecked: bool = False


def conditions_from_choice(
    choice: Choice, source: str, labels: Collection[LabelFile], *, limit: int | None
) -> ScoreConditions:
    """Return what holds for clips and images; ``replace`` adds what a clip has beyond that.

    Args:
        choice: bundle and backend.
        source: as ``ScoreConditions`` has it.
        labels: all that are scored.
        limit: as ``ScoreConditions`` has it.
    """
    manifest = choice.bundle.manifest
    return ScoreConditions(
        source=source,
        frame_size=(manifest.height, manifest.width),
        label_sizes=tuple(sorted({(file.height, file.width) for file in labels})),
        counted=100.0 * sum(file.counted for file in labels) / sum(file.height * file.width for file in labels),
        limit=limit,
        backend=choice.options.backend,
        chosen=choice.how,
        agreement=choice.agreement,
        unchecked=choice.options.unchecked,
    )


@dataclass(frozen=True, slots=True)
class Scores:
    """What an evaluation finds.

    Attributes:
        bundle: its name.
        digest: of the bundle.
        conditions: what the scores hold for.
        modes: scores by mode: ``ar``, ``hr``, ``lr``.
    """

    bundle: str
    digest: str
    conditions: ScoreConditions
    modes: Mapping[str, ModeScores]


@dataclass(frozen=True, slots=True)
class Distances:
    """The scores that follow from the confusion matrix at each distance; per cent.

    Attributes: see ``ModeScores``.
    """

    miou: float
    miou_pooled: float
    per_class: Mapping[str, float]
    by_distance: tuple[float, ...]
    worst_distance: int | None


def distances_from_confusions(confusions: NDArray[np.int64], names: tuple[str, ...]) -> Distances:
    """Score ``[distances, classes, classes] int64``; ``names`` are those of the classes."""
    by_distance = 100.0 * np.array([mean_iou(confusion) for confusion in confusions])
    pooled = confusions.sum(axis=0)
    seen = ~np.isnan(by_distance)
    return Distances(
        miou=mean_or_nan(by_distance),
        miou_pooled=100.0 * mean_iou(pooled),
        per_class=dict(zip(names, (100.0 * iou_from_confusion(pooled)).tolist(), strict=True)),
        by_distance=tuple(by_distance.tolist()),
        worst_distance=int(np.nanargmin(by_distance)) if seen.any() else None,
    )


def unmeasured_distances(by_distance: Sequence[float], interval: int) -> tuple[tuple[int, int], ...]:
    """Return the distances that were not scored, first and last of each range.

    Args:
        by_distance: scores, 0 first; ``nan`` where there is none. Those behind them were not scored either.
        interval: the distance that is a keyframe again.
    """
    found: list[tuple[int, int]] = []
    missing = [distance for distance, score in enumerate(by_distance) if math.isnan(score)]
    ends = [(distance, distance) for distance in missing]
    if len(by_distance) < interval:
        ends.append((len(by_distance), interval - 1))
    for first, last in ends:
        if found and found[-1][1] == first - 1:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return tuple(found)


def json_from_scores(scores: Scores) -> dict[str, Any]:
    """Return the scores as one JSON object; what is ``nan`` becomes ``null``."""
    return {"unit": "per cent", **_plain(asdict(scores))}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value
