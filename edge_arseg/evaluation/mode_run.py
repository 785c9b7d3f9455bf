"""One mode, run through a labelled clip."""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from edge_arseg.errors import SourceError
from edge_arseg.evaluation.confusion import confusion_from_maps, mean_iou
from edge_arseg.evaluation.consistency import Consistency
from edge_arseg.evaluation.flow_consistency import FlowConsistency
from edge_arseg.evaluation.labels.clip import LabelledClip
from edge_arseg.evaluation.labels.nearest import map_of_label
from edge_arseg.evaluation.passes import Pass, distance_at
from edge_arseg.evaluation.scores import FrameScore, ModeScores, distances_from_confusions, unmeasured_distances
from edge_arseg.quantity import counted
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.progress import Counter

WORST_FRAMES = 10
"""Labelled frames that are named because they did worst."""

LISTED = 1000
"""Distances that are listed where the interval has them, though the clip be shorter."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Where vectors come from: ``motion``, ``recode_scale`` and ``stream`` of ``open_video``."""

    source: str
    recode_scale: float
    stream: int | None = None


class ModeRun:
    """Runs passes through one mode's engines, and collects what is scored.

    Args:
        segmenter: with fixed engines and policy.
        labelled: the frames that are scored.
        first_frame: index in the source; earlier frames are run, but count nowhere.
        motion: where vectors come from.
        counter: counts each frame.
        name: of the mode, for the counter.
        interval: frames from keyframe to keyframe.
        optical_flow: TC by optical flow is wanted too.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        labelled: LabelledClip,
        first_frame: int,
        motion: Motion,
        counter: Counter,
        name: str,
        *,
        interval: int,
        optical_flow: bool = False,
    ) -> None:
        manifest = segmenter.bundle.manifest
        self._segmenter, self._labelled = segmenter, labelled
        self._first_frame, self._motion = first_frame, motion
        self._counter, self._name = counter, name
        self._interval, self._classes = interval, len(manifest.model.classes)
        distances = min(interval, max(labelled.frame_count, LISTED))  # no frame lies further from its keyframe
        self._confusions = np.zeros((distances, self._classes, self._classes), np.int64)
        self._consistency = Consistency(manifest.height, manifest.width)
        self._steady = FlowConsistency(self._classes) if optical_flow else None
        self._maps = self._broken = 0
        self._frames: list[FrameScore] = []
        self._motion_used: tuple[str, str] | None = None

    def follow(self, one: Pass) -> None:
        """Run one pass.

        Raises:
            SourceError: see ``open_video``; or not as many frames came as were counted.
        """
        what = f"{self._name}, phase {one.phases[0]}" if len(one.phases) == 1 else self._name
        expected = self._labelled.frame_count - one.offset
        self._consistency.start()
        if self._steady is not None:
            self._steady.start()
        seen = one.skip
        self._counter.count(what, frames=one.skip)
        with self._segmenter.open(
            one.clip,
            motion=self._motion.source,
            recode_scale=self._motion.recode_scale,
            stream=self._motion.stream,
        ) as reader:
            for result in self._segmenter.segment(islice(reader, one.skip, expected)):
                self._take(result, one)
                self._counter.count(what)
                seen += 1
            # What it was at the end: a source that promises vectors may change over on the way.
            self._motion_used = reader.motion_source.value, reader.motion_reason
        if seen != expected:
            raise SourceError(
                f"{one.clip}: {counted(seen, 'frame')} came, {expected} expected from a count before; does the "
                "file change?"
            )

    def _take(self, result: SegmentedFrame, one: Pass) -> None:
        index = one.offset + result.frame.index
        if index < self._first_frame:
            return
        self._consistency.add(result.class_map, result.frame.vectors)
        if self._steady is not None:
            self._steady.add(result.class_map, result.frame.rgb)
        if self._segmenter.pipeline.uses_motion and result.motion is not None and result.motion.intra_ratio == 1.0:
            self._broken += 1
        file = self._labelled.by_frame.get(index)
        if file is None:
            return
        resized = map_of_label(result, file.height, file.width)
        confusion = confusion_from_maps(resized, self._labelled.labels[file.path], self._classes)
        for phase in one.phases:
            alone = len(one.phases) == 1
            distance = result.distance if alone else distance_at(index, phase, self._interval)
            self._confusions[distance] += confusion
            self._maps += 1
            score = mean_iou(confusion)
            if not np.isnan(score):
                self._frames.append(FrameScore(index, distance, 100.0 * score))

    def scores(self, names: tuple[str, ...]) -> ModeScores:
        """Return what was found."""
        found = distances_from_confusions(self._confusions, names)
        source, reason = self._motion_used or (None, None)
        return ModeScores(
            label=self._segmenter.pipeline.label,
            miou=found.miou,
            miou_pooled=found.miou_pooled,
            per_class=found.per_class,
            by_distance=found.by_distance,
            worst_distance=found.worst_distance,
            temporal_consistency=100.0 * self._consistency.agreement,
            flicker=100.0 * self._consistency.flicker,
            frames=len(self._labelled.by_frame),
            maps=self._maps,
            broken_steps=self._broken,
            motion_source=source,
            motion_reason=reason,
            worst_frames=self._worst_frames(),
            flow_consistency=None if self._steady is None else 100.0 * self._steady.tc,
            unmeasured=unmeasured_distances(found.by_distance, self._interval),
        )

    def _worst_frames(self) -> tuple[FrameScore, ...]:
        """Each frame once, at the distance where it did worst."""
        worst: dict[int, FrameScore] = {}
        for score in sorted(self._frames, key=lambda one: (one.miou, one.frame, one.distance)):
            worst.setdefault(score.frame, score)
        return tuple(worst.values())[:WORST_FRAMES]
