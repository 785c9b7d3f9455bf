"""Training pairs on disk, read at random."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge_arseg.errors import DataError, OptionError
from edge_arseg.spec.model import ClassInfo
from edge_arseg.training.pairs.pair import Pair, record_dtype
from edge_arseg.training.pairs.store_files import PARTS, ClipEntry, clip_path, read_entries, read_head


class PairStore:
    """The pairs of one part of a store. Safe to use in several processes and threads at once: nothing is kept open.

    ::

        store = PairStore("pairs", part="train")
        pair = store[17]                      # of all pairs
        pair = store.pair(clip=3, i=0)        # of one clip
        rgb, label = store.frame(5)           # of all frames, keyframes too

    Attributes:
        classes: names and colours, by index.
        height, width: of the frames, pixels.
        gop: frames from keyframe to keyframe.
        clips: the clips of this part, in the order in which they were made.
        frame_count: stored frames, keyframes included.

    Args:
        path: the store's folder.
        part: ``train``, ``held_back`` or ``all``.
        labelled: only clips with labels (``True``), only those without (``False``), or both (``None``).

    Raises:
        DataError: no store, a damaged one, or not one pair in this part.
        OptionError: unknown part.
    """

    def __init__(self, path: str | Path, *, part: str = "train", labelled: bool | None = True) -> None:
        if part not in (*PARTS, "all"):
            raise OptionError(f"part {part!r} of a pair store: expected {', '.join(PARTS)} or all")
        self.path = Path(path)
        head = read_head(self.path)
        self.classes: tuple[ClassInfo, ...] = head.classes
        self.height, self.width, self.gop = head.height, head.width, head.gop
        self.clips = tuple(
            entry
            for entry in read_entries(self.path)
            if part in (entry.part, "all") and labelled in (entry.labelled, None)
        )
        counts = np.array([len(entry.distances) for entry in self.clips], np.int64)
        self._first_pair = np.concatenate([[0], np.cumsum(counts)])
        self._first_frame = np.concatenate([[0], np.cumsum(counts + 1)])
        self.frame_count = int(self._first_frame[-1])
        self._dtype = record_dtype(self.height, self.width)
        if not len(self):
            kind = {True: "labelled ", False: "unlabelled ", None: ""}[labelled]
            raise DataError(f"{self.path}: not one {kind}pair in its part {part}; prepare it from more data")

    def __len__(self) -> int:
        return int(self._first_pair[-1])

    def __getitem__(self, index: int) -> Pair:
        """One of all pairs; clip after clip."""
        clip, i = self.place(index)
        return self.pair(clip, i)

    def place(self, index: int) -> tuple[int, int]:
        """The clip that a pair belongs to, and its number in there."""
        if not 0 <= index < len(self):
            raise IndexError(f"pair {index} of {len(self)}")
        clip = int(np.searchsorted(self._first_pair, index, side="right")) - 1
        return clip, index - int(self._first_pair[clip])

    def distances(self) -> np.ndarray:
        """``[len(self)] int``: the distance of every pair, for drawing some more often than others."""
        return np.array([distance for entry in self.clips for distance in entry.distances], np.int64)

    def pair(self, clip: int, i: int) -> Pair:
        """Pair ``i`` of a clip; its arrays are the caller's.

        Raises:
            DataError: the clip's file is missing or not of the size it should have.
        """
        entry = self.clips[clip]
        if not 0 <= i < len(entry.distances):
            raise IndexError(f"pair {i} of the {len(entry.distances)} of clip {entry.key}")
        records = self._records(entry)
        key, frame = records[0], records[1 + i]
        return Pair(
            keyframe=np.array(key["rgb"]),
            frame=np.array(frame["rgb"]),
            flow=np.array(frame["flow"]),
            label=np.array(frame["label"]),
            distance=int(frame["distance"]),
            motion=entry.motion,
        )

    def frame(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """One of all stored frames, keyframes included: ``[H, W, 3] uint8`` RGB and ``[H, W] uint8`` label."""
        if not 0 <= index < self.frame_count:
            raise IndexError(f"frame {index} of {self.frame_count}")
        clip = int(np.searchsorted(self._first_frame, index, side="right")) - 1
        record = self._records(self.clips[clip])[index - int(self._first_frame[clip])]
        return np.array(record["rgb"]), np.array(record["label"])

    def frames(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All stored frames in order; see ``frame``."""
        return (self.frame(index) for index in range(self.frame_count))

    def _records(self, entry: ClipEntry) -> np.ndarray:
        path, count = clip_path(self.path, entry.key), len(entry.distances) + 1
        try:
            records = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError(f"{path}: missing or cut off ({error}); prepare the store again") from error
        if records.dtype != self._dtype or records.shape != (count,):
            raise DataError(
                f"{path}: {records.shape} of {records.dtype} seen, not what the store says; prepare it again"
            )
        return records
