"""What became of one video."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from edge_arseg.runtime.live.statistics import KeyframeCount
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.model import ClassInfo
from edge_arseg.video.sinks.lines import pixels_of_classes


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of the summary.

    Attributes:
        source: the video, without a login.
        sinks: where the results are.
        error: why there are none; ``None``: they are whole.
        frames: segmented.
        keyframes: that they were made from: all in mode ``hr``, none in mode ``lr``.
        first_s: time of its first frame, seconds.
        video_s: seconds of the video, from its first frame to its last.
        seconds: that it took, from opening the video to its results being in their place.
        finished: when, UTC.
        motion: where the vectors came from, and why.
        classes: share of the pixels of all frames, 0 to 1, by class; pixels of no class are in none.
        again: the results are those of an earlier command.
    """

    source: str
    sinks: tuple[str, ...] = ()
    error: str | None = None
    frames: int = 0
    keyframes: int = 0
    first_s: float = 0.0
    video_s: float = 0.0
    seconds: float = 0.0
    finished: str = ""
    motion: str = ""
    classes: dict[str, float] = field(default_factory=dict)
    again: bool = False

    def row(self) -> dict[str, Any]:
        """Return the outcome as JSON has it."""
        return asdict(self) | {"sinks": list(self.sinks)}


def outcome_from_row(row: dict[str, Any]) -> Outcome:
    """Return the outcome that ``Outcome.row`` wrote; raises ``TypeError`` for something else."""
    return Outcome(**(row | {"sinks": tuple(row["sinks"])}))


def joined_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome of a video from those of its pieces, in order; seconds add up, wherever they were spent."""
    first, last = outcomes[0], outcomes[-1]
    frames = sum(outcome.frames for outcome in outcomes)
    return replace(
        last,
        frames=frames,
        keyframes=sum(outcome.keyframes for outcome in outcomes),
        first_s=first.first_s,
        video_s=round(last.first_s + last.video_s - first.first_s, 6),
        seconds=round(sum(outcome.seconds for outcome in outcomes), 3),
        motion=first.motion,
        classes={
            name: round(sum(outcome.classes[name] * outcome.frames for outcome in outcomes) / max(frames, 1), 6)
            for name in first.classes
        },
        again=False,
    )


class Tally:
    """Counts frames and the pixels of each class.

    Args:
        classes: of the bundle, by index.
    """

    def __init__(self, classes: Sequence[ClassInfo]) -> None:
        self._names = [info.name for info in classes]
        self._pixels = np.zeros(len(self._names), np.int64)
        self._all = 0
        self._marks = np.zeros(1 << 17, np.bool_)
        self._first_s: float | None = None
        self._last_s = 0.0
        self._keyframes = KeyframeCount()
        self.frames = 0

    def add(self, result: SegmentedFrame) -> None:
        """Count one result."""
        class_map = result.shown_map()
        self._pixels += pixels_of_classes(class_map, len(self._names), self._marks)
        self._all += class_map.size
        self.frames += 1
        self._keyframes.add(result)
        self._last_s = result.frame.time_s
        if self._first_s is None:
            self._first_s = self._last_s

    @property
    def keyframes(self) -> int:
        """That the frames were made from."""
        return self._keyframes.count

    @property
    def first_s(self) -> float:
        """Time of the first frame, seconds."""
        return self._first_s or 0.0

    @property
    def video_s(self) -> float:
        """Seconds from the first frame to the last."""
        return round(self._last_s - (self._first_s or 0.0), 6)

    @property
    def classes(self) -> dict[str, float]:
        """Share of all pixels, 0 to 1, by class."""
        shares = self._pixels / max(self._all, 1)
        return {name: round(float(share), 6) for name, share in zip(self._names, shares, strict=True)}
