"""A pair store: training pairs on disk, read at random.

::

    STORE/
      store.json        revision, classes, size of the frames, GOP            written first
      clips.jsonl       one line per clip: its file, what it holds, how it was made
      clips/KEY.npy     one array of records (``record_dtype``): the keyframe, then chosen later frames

A clip's file is written under another name and renamed, and its line is added after that. So whenever the process is
killed, every whole line names a whole file, and preparing continues behind them. Files are plain arrays: reading a
random pair touches only its own pages.

Revisions: 1, the first.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.errors import DataError, OptionError
from edge_arseg.spec.model import ClassInfo
from edge_arseg.storage.files import write_whole
from edge_arseg.training.pairs.pair import Pair, record_dtype

REVISION = 1
PARTS = ("train", "held_back")


@dataclass(frozen=True, slots=True)
class StoreHead:
    """What all clips of a store share.

    Attributes:
        classes: names and colours, by index.
        height, width: of the frames, pixels.
        gop: frames from keyframe to keyframe; distances are smaller.
    """

    classes: tuple[ClassInfo, ...]
    height: int
    width: int
    gop: int


@dataclass(frozen=True, slots=True)
class ClipEntry:
    """One clip of a store.

    Attributes:
        key: names its file.
        part: ``train`` or ``held_back``.
        motion: where its vectors came from.
        distances: of the frames behind the keyframe.
        labelled: whether there is any label in it.
        made_from: what it was made from and how; equal for equal content.
        encoding: how it was encoded, for people.
    """

    key: str
    part: str
    motion: str
    distances: tuple[int, ...]
    labelled: bool = True
    made_from: Mapping[str, Any] = field(default_factory=dict)
    encoding: str = ""


def write_head(path: Path, head: StoreHead) -> None:
    """Begin a store."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "clips").mkdir(exist_ok=True)
    content = {"revision": REVISION} | asdict(head)
    write_whole(path / "store.json", (json.dumps(content, indent=1) + "\n").encode())


def read_head(path: Path) -> StoreHead:
    """Read what all clips share.

    Raises:
        DataError: no store, a damaged one, or one of another revision.
    """
    try:
        content = json.loads((path / "store.json").read_text())
        if content["revision"] != REVISION:
            raise DataError(
                f"{path}: a pair store of revision {content['revision']}, this version reads {REVISION}; "
                "prepare it again"
            )
        classes = tuple(ClassInfo(row["name"], tuple(row["color"])) for row in content["classes"])
        return StoreHead(classes, int(content["height"]), int(content["width"]), int(content["gop"]))
    except OSError as error:
        raise DataError(
            f"{path}: no pair store ({error.strerror} for store.json); make one: "
            f"edge-arseg train prepare DATASET -o {path}"
        ) from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: store.json is damaged ({error}); prepare it again") from error


def line_from_entry(entry: ClipEntry) -> str:
    """Return one line of ``clips.jsonl``."""
    return json.dumps(asdict(entry), sort_keys=True) + "\n"


def read_entries(path: Path) -> list[ClipEntry]:
    """Read all whole lines of ``clips.jsonl``; a last one that was cut off does not count.

    Raises:
        DataError: a damaged line that is not the last, or no such file.
    """
    try:
        lines = (path / "clips.jsonl").read_text().split("\n")
    except FileNotFoundError:
        return []
    entries = []
    for number, line in enumerate(lines[:-1], 1):  # what stands behind the last line end was cut off
        try:
            row = json.loads(line)
            entries.append(ClipEntry(**(row | {"distances": tuple(row["distances"])})))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise DataError(f"{path}: line {number} of clips.jsonl is damaged ({error}); prepare it again") from error
    return entries


def clip_path(path: Path, key: str) -> Path:
    """Where a clip's records are."""
    return path / "clips" / f"{key}.npy"


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
            raise DataError(f"{self.path}: no {kind}pair in its part {part}; prepare it from more data")

    def sha256(self) -> str:
        """Digest of the classes, and of what every clip of this part is and was made from."""
        total = sha256(repr(self.classes).encode())
        for line in sorted(map(line_from_entry, self.clips)):
            total.update(line.encode())
        return total.hexdigest()

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
