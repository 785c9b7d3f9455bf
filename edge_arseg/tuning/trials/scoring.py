"""Scores of a setting, frame by frame, so that they can be looked at before all frames are done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from edge_arseg.evaluation.confusion import confusion_from_maps
from edge_arseg.evaluation.labels.clip import LabelledClip
from edge_arseg.evaluation.labels.nearest import map_of_label
from edge_arseg.evaluation.scores import Distances, distances_from_confusions
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.tuning.search.setting import Setting


@dataclass(frozen=True, slots=True)
class FrameScores:
    """Class maps that were scored, in order.

    Attributes:
        frames: ``[N] int64``, index of each in the clip; a frame comes once for each phase.
        distances: ``[N] int64``, frames since its keyframe.
        confusions: ``[N, C, C] int64``; see ``confusion_from_maps``.
    """

    frames: NDArray[np.int64]
    distances: NDArray[np.int64]
    confusions: NDArray[np.int64]

    def by_distance(self, weights: NDArray[np.floating] | None = None) -> NDArray[np.float64]:
        """Return ``[D, C, C]``, the sum at each distance; with ``weights`` ``[N]`` that many times."""
        weighted = self.confusions if weights is None else self.confusions * weights[:, None, None]
        found = np.zeros((int(self.distances.max(initial=0)) + 1, *self.confusions.shape[1:]), np.float64)
        np.add.at(found, self.distances, weighted)
        return found

    def first(self, count: int) -> "FrameScores":
        """Return the first ``count`` of them."""
        return FrameScores(self.frames[:count], self.distances[:count], self.confusions[:count])

    def summary(self, names: tuple[str, ...]) -> Distances:
        """Return the scores as ``eval`` has them."""
        return distances_from_confusions(self.by_distance().astype(np.int64), names)


def scores_of_setting(
    segmenter: Segmenter,
    labelled: LabelledClip,
    setting: Setting,
    phases: Sequence[int],
    first_frame: int,
) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """Yield frame, distance and confusion of each labelled frame, phase by phase, as ``eval`` scores them.

    Args:
        segmenter: with the policy of the setting.
        labelled: the clip.
        setting: whose motion is used.
        phases: frames on which the first keyframe is set.
        first_frame: earlier frames are run, but not scored.

    Raises:
        SourceError: see ``open_video``.
    """
    classes = len(segmenter.bundle.manifest.model.classes)
    motion = setting.motion if segmenter.pipeline.uses_motion else "zero"
    for phase in phases:
        with segmenter.open(
            labelled.clip, motion=motion, recode_scale=setting.recode_scale, stream=labelled.stream
        ) as reader:
            for result in segmenter.segment(islice(reader, phase, labelled.frame_count)):
                index = result.frame.index
                file = labelled.by_frame.get(index)
                if file is None or index < first_frame:
                    continue
                seen = map_of_label(result, file.height, file.width)
                yield index, result.distance, confusion_from_maps(seen, labelled.labels[file.path], classes)


def scores_from_rows(rows: Sequence[tuple[int, int, NDArray[np.int64]]]) -> FrameScores:
    """Return what ``scores_of_setting`` yielded as one value."""
    frames, distances, confusions = zip(*rows, strict=True)
    return FrameScores(np.array(frames, np.int64), np.array(distances, np.int64), np.array(confusions, np.int64))
