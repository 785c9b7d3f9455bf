"""Pairs out of a real clip, with the labels of some frames or without any."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from edge_arseg.errors import DataError, SourceError
from edge_arseg.evaluation.labels.clip import labelled_clip
from edge_arseg.evaluation.labels.files import IGNORED
from edge_arseg.evaluation.labels.nearest import resized_map
from edge_arseg.motion import Accumulator
from edge_arseg.quantity import counted
from edge_arseg.spec.progress import Progress, no_progress
from edge_arseg.storage.url import label_of
from edge_arseg.training.pairs.decoded_clip import BROKEN, DecodedClip, KeptFrame, records_from_frames
from edge_arseg.training.pairs.pair import BLOCK
from edge_arseg.training.pairs.store import ClipEntry
from edge_arseg.training.pairs.windows import Window, digest_of_clip, windows_from_clip
from edge_arseg.training.pairs.writer import StoreWriter
from edge_arseg.video.reader import open_video

LabelAt = Callable[[int], np.ndarray | None]


@dataclass(slots=True)
class _Open:
    """A window that the reader is in."""

    window: Window
    chain: Accumulator
    kept: list[KeptFrame] = field(default_factory=list)


def store_from_clip(
    writer: StoreWriter,
    clip: str | Path,
    labels: Path | None,
    *,
    seed: int,
    mix: Mapping[str, float],
    progress: Progress = no_progress,
) -> int:
    """Add pairs of a clip as it is: decoded, its vectors chained as at inference.

    Args:
        writer: of the store.
        clip: what ``open_video`` takes, but nothing live.
        labels: folder of index PNGs, of all frames or named by frame index; ``None``: pairs without labels, two in
            each GOP.
        seed: of the distances.
        mix: shares of the sources of vectors; the share of ``codec`` is recoded where the stream's own vectors cannot
            be used.
        progress: told frame by frame.

    Returns:
        How many stored clips (a keyframe with its pairs) are new.

    Raises:
        SourceError: the clip cannot be read to its end.
        DataError: bad labels, all of them in one message; or the clip is too short for a pair in both parts.
        OptionError: a live source.
    """
    head = writer.head
    size = head.height, head.width
    label_at: LabelAt
    if labels is None:
        with open_video(clip, motion="zero") as reader:
            frame_count = sum(1 for _ in reader)
        frames: Sequence[int] = range(head.gop - 1, frame_count, max(1, head.gop // 2))
        paths: list[Path] = []

        def label_at(index: int) -> np.ndarray | None:
            return None
    else:
        classes = len(head.classes)
        labelled = labelled_clip(clip, labels, classes)
        frame_count, frames = labelled.frame_count, list(labelled.by_frame)
        paths = [labelled.by_frame[index].path for index in frames]

        def label_at(index: int) -> np.ndarray | None:
            file = labelled.by_frame.get(index)
            if file is None:
                return None
            stored = labelled.labels[file.path]
            return resized_map(np.where(stored < classes, stored, IGNORED).astype(np.uint8), *size)

    windows = windows_from_clip(
        clip,
        frames,
        frame_count,
        digest=digest_of_clip(clip, paths),
        seed=seed,
        gop=head.gop,
        size=size,
        mix=_possible(clip, mix),
    )
    if {window.part for window in windows} != {"train", "held_back"}:
        raise DataError(
            f"{label_of(clip)}: {counted(frame_count, 'frame')}, {len(frames)} of them to be paired; expected "
            "enough for pairs of "
            f"up to {head.gop - 1} frames in the first 90 % and in the last 10 %: a longer clip, or a smaller --gop"
        )
    missing = [window for window in windows if not writer.has(window.key, window.part, window.made_from)]
    what = f"preparing {label_of(clip)}"
    progress(0, len(missing), what)
    done = 0
    for motion, group in groupby(sorted(missing, key=lambda w: (w.motion, w.first)), key=lambda w: w.motion):
        for window, decoded in _decoded(clip, list(group), motion, size, label_at):
            entry = ClipEntry(
                window.key, window.part, decoded.motion, decoded.distances, labels is not None, window.made_from
            )
            writer.add(entry, decoded.records)
            done += 1
            progress(done, len(missing), what)
    return done


def _possible(clip: str | Path, mix: Mapping[str, float]) -> dict[str, float]:
    """The mix with the share of ``codec`` recoded where the stream's own vectors cannot be used."""
    possible = dict(mix)
    if "codec" in possible:
        try:
            with open_video(clip, motion="codec") as reader:
                for _ in reader:  # a stream may break its promise on the way
                    pass
        except SourceError:
            possible["recode"] = possible.get("recode", 0.0) + possible.pop("codec")
    return possible


def _decoded(
    clip: str | Path, windows: list[Window], motion: str, size: tuple[int, int], label_at: LabelAt
) -> Iterator[tuple[Window, DecodedClip]]:
    """One walk through the clip, however many windows overlap."""
    starting = {window.first: window for window in windows}
    last = max(window.first + window.distances[-1] for window in windows)
    running: list[_Open] = []
    with open_video(clip, motion=motion, size=size) as reader:
        source = reader.motion_source.value
        for frame in reader:
            going = []
            for one in running:
                motion_field = one.chain.follow(frame)
                distance = frame.index - one.window.first
                broken = motion_field.intra_ratio > BROKEN
                if distance in one.window.distances and not broken:
                    one.kept.append(KeptFrame(frame.rgb, label_at(frame.index), motion_field.flow.copy(), distance))
                if broken or distance == one.window.distances[-1]:
                    yield one.window, DecodedClip(records_from_frames(one.kept), source)
                else:
                    going.append(one)
            running = going
            if (window := starting.get(frame.index)) is not None:
                chain = Accumulator(reader.height, reader.width, block=BLOCK)
                running.append(_Open(window, chain, [KeptFrame(frame.rgb, label_at(frame.index), None, 0)]))
            if frame.index >= last:
                break
    for one in running:  # the clip became shorter than it was
        yield one.window, DecodedClip(records_from_frames(one.kept), source)
