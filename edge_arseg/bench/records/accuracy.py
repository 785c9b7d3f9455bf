"""Accuracy as a record holds it, beside the speed of the same bundle."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Scores of one run, per cent, 0 to 100; ``None`` where there was nothing to score.

    Attributes:
        digest: of the bundle; a run with another digest is refused.
        source: labelled clip, without where it lies.
        frames: labelled frames; ``phases``: frames on which the first keyframe was set.
        miou: mean over the distances, as the AR-Seg paper reports it; ``miou_pooled``: of all pixels together.
        by_class: IoU of each class by name.
        by_distance: mIoU at each distance from the keyframe, 0 first.
        worst_distance: with the lowest mIoU.
        temporal_consistency: followed pixels that keep their class, moved by the motion of one step; ``flicker``: whose
            class leaves and comes back at once.
        flow_consistency: TC by optical flow; ``None`` where it was not asked for.
        worst_frames: the labelled frames with the lowest mIoU, the lowest first.
    """

    digest: str
    source: str
    frames: int
    phases: tuple[int, ...]
    miou: float | None
    miou_pooled: float | None
    by_class: dict[str, float | None]
    by_distance: tuple[float | None, ...]
    worst_distance: int | None
    temporal_consistency: float | None
    flicker: float | None
    worst_frames: tuple["FrameScore", ...] = ()
    flow_consistency: float | None = None


@dataclass(frozen=True, slots=True)
class FrameScore:
    """One labelled frame: its index in the clip, its distance from the keyframe, mIoU over the classes in its label or
    its class map, per cent."""

    frame: int
    distance: int
    miou: float
