"""A clip, decoded through the device half's own reader, as records of a pair store."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from edge_arseg.evaluation.labels.files import IGNORED
from edge_arseg.motion import Accumulator
from edge_arseg.training.pairs.pair import BLOCK, record_dtype
from edge_arseg.video.reader import open_video

BROKEN = 0.5
"""A larger share of a frame without vectors is a scene cut: at inference the frame becomes a keyframe."""


@dataclass(frozen=True, slots=True)
class KeptFrame:
    """A decoded frame on its way into the store.

    Attributes:
        rgb: ``[H, W, 3] uint8``.
        label: ``[H, W] uint8``, or ``None``.
        flow: to the keyframe, ``[ceil(H / 4), ceil(W / 4), 2] float32``; ``None`` for the keyframe itself.
        distance: from the keyframe.
    """

    rgb: np.ndarray
    label: np.ndarray | None
    flow: np.ndarray | None
    distance: int


@dataclass(frozen=True, slots=True)
class DecodedClip:
    """A keyframe and chosen frames behind it.

    Attributes:
        records: ``[1 + N]`` of ``record_dtype``; the keyframe first.
        motion: where the vectors came from.
    """

    records: np.ndarray
    motion: str

    @property
    def distances(self) -> tuple[int, ...]:
        """Distances of the frames behind the keyframe."""
        return tuple(int(distance) for distance in self.records["distance"][1:])


def decoded_clip(
    clip: str | Path,
    label_at: Callable[[int], np.ndarray | None],
    *,
    motion: str,
    distances: Collection[int],
    gop: int,
    size: tuple[int, int] | None = None,
) -> DecodedClip:
    """Decode the first GOP of a clip and chain its vectors back to its first frame.

    A frame behind a broken step has no flow worth learning from and is left out.

    Args:
        clip: what ``open_video`` takes.
        label_at: gives the label of a frame by its index in the clip, ``[H, W] uint8``, or ``None``.
        motion: see ``open_video``.
        distances: those to keep.
        gop: frames from keyframe to keyframe.
        size: rows and columns to deliver; by default as coded.

    Raises:
        SourceError: the clip cannot be read, or it has no ``motion`` of this kind.
    """
    kept: list[KeptFrame] = []
    with open_video(clip, motion=motion, size=size) as reader:
        chain = Accumulator(reader.height, reader.width, block=BLOCK)
        for frame in islice(reader, gop):
            distance = frame.index
            if distance == 0:
                kept.append(KeptFrame(frame.rgb, label_at(frame.index), None, 0))
                continue
            field = chain.follow(frame)
            if field.intra_ratio > BROKEN:
                break
            if distance in distances:
                kept.append(KeptFrame(frame.rgb, label_at(frame.index), field.flow.copy(), distance))
        source = reader.motion_source.value
    return DecodedClip(records_from_frames(kept), source)


def records_from_frames(frames: Sequence[KeptFrame]) -> np.ndarray:
    """Return ``[N]`` of ``record_dtype``; missing labels are ignored everywhere."""
    records = np.zeros(len(frames), record_dtype(*frames[0].rgb.shape[:2]))
    for record, frame in zip(records, frames, strict=True):
        record["rgb"] = frame.rgb
        record["label"] = IGNORED if frame.label is None else frame.label
        if frame.flow is not None:
            record["flow"] = frame.flow
        record["distance"] = frame.distance
    return records
