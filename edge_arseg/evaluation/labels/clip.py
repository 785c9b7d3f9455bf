"""A clip with the labels of its frames, checked before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_arseg.errors import DataError, OptionError
from edge_arseg.evaluation.labels.files import LabelFile, Labels, checked_labels
from edge_arseg.evaluation.labels.pairing import label_paths, labels_by_frame
from edge_arseg.quantity import counted
from edge_arseg.video.presence import refuse_live
from edge_arseg.video.reader import open_video
from edge_arseg.video.uri import source_from_uri


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A clip whose frames were counted and whose labels are good.

    Attributes:
        clip: what ``open_video`` takes.
        frame_count: frames that are used: all of them, or the first ``limit``.
        labels: reads the labels.
        by_frame: the label of each labelled frame that is scored, by the frame's index.
        stream: see ``open_video``.
    """

    clip: str | Path
    frame_count: int
    labels: Labels
    by_frame: Mapping[int, LabelFile]
    stream: int | None = None


@dataclass(frozen=True, slots=True)
class ClipFrames:
    """How many frames a clip has, and their rows and columns."""

    count: int
    height: int
    width: int


def clip_frames(clip: str | Path, stream: int | None = None) -> ClipFrames:
    """Count the frames of a clip by decoding it once: containers declare numbers that are estimates.

    Raises:
        SourceError: it cannot be read to its end.
        OptionError: a live source.
    """
    refuse_live(source_from_uri(clip))
    with open_video(clip, motion="zero", stream=stream) as reader:
        height, width = reader.height, reader.width
        return ClipFrames(sum(1 for _ in reader), height, width)


def labelled_clip(
    clip: str | Path,
    labels: Path,
    classes: int,
    *,
    first_frame: int = 0,
    limit: int | None = None,
    stream: int | None = None,
    frames: ClipFrames | None = None,
) -> LabelledClip:
    """Count the frames of a clip, pair its labels, and check those that will be scored.

    ``labels_by_frame`` says how labels find their frames.

    Args:
        clip: what ``open_video`` takes, but nothing live.
        labels: the folder.
        classes: how many the bundle knows.
        first_frame: frames before this one are not scored.
        limit: use only the first so many frames. Labels are still paired with all frames.
        stream: see ``open_video``.
        frames: of the clip, where they were counted already.

    Raises:
        SourceError: the clip cannot be read to its end.
        DataError: labels that cannot be paired or used, all faults in one message; or none for a frame that is scored.
        OptionError: a live source; no frame is left to score.
    """
    frames = clip_frames(clip, stream) if frames is None else frames
    paths = labels_by_frame(label_paths(labels), frames.count, where=labels)
    used = frames.count if limit is None else min(limit, frames.count)
    if used <= first_frame:
        raise OptionError(
            f"{source_from_uri(clip).label}: {counted(used, 'frame')} used, and only frames from {first_frame} on, the "
            "largest phase, are scored; choose smaller --phases, or a longer clip"
        )
    wanted = {index: path for index, path in paths.items() if first_frame <= index < used}
    if not wanted:
        raise DataError(f"{labels}: no label for a frame from {first_frame} to {used - 1}; expected at least one")
    reads = Labels(classes)
    files = checked_labels(reads, dict.fromkeys(wanted.values(), (frames.height, frames.width)), where=labels)
    return LabelledClip(clip, used, reads, {index: files[path] for index, path in wanted.items()}, stream)
