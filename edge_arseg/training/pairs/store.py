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
from edge_arseg.storage.files.whole import write_whole
from edge_arseg.training.pairs.pair import Pair, record_dtype

REVISION = 1
MOST = 1 << 16
"""Height, width and GOP of a store lie below."""
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
        numbers = [content[name] for name in ("height", "width", "gop")]
        if not classes or not all(type(number) is int and 0 < number <= MOST for number in numbers):
            raise ValueError(f"{len(classes)} classes, height, width and GOP {numbers}")
        return StoreHead(classes, *numbers)
    except OSError as error:
        raise DataError(
            f"{path}: no pair store ({error.strerror} for store.json); make one: "
            f"edge-arseg train prepare DATASET -o {path}"
        ) from error
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path}: store.json is damaged ({error}); put back a copy of it, or delete the folder and prepare it again"
        ) from error


def line_from_entry(entry: ClipEntry) -> str:
    """Return one line of ``clips.jsonl``."""
    return json.dumps(asdict(entry), sort_keys=True) + "\n"


def read_entries(path: Path) -> list[ClipEntry]:
    """Read all whole lines of ``clips.jsonl``; a last one that was cut off does not count.

    Raises:
        DataError: a damaged line that is not the last, or a file that cannot be read.
    """
    try:
        lines = (path / "clips.jsonl").read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"{path}: clips.jsonl cannot be read ({error.strerror or error})") from error
    entries = []
    for number, line in enumerate(lines[:-1], 1):  # what stands behind the last line end was cut off
        try:
            row = json.loads(line)
            entries.append(_checked(ClipEntry(**(row | {"distances": tuple(row["distances"])}))))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise DataError(
                f"{path}: line {number} of clips.jsonl is damaged ({error}); delete that line, and type the same "
                "`edge-arseg train prepare` again, which makes its clip anew"
            ) from error
    return entries


def _checked(entry: ClipEntry) -> ClipEntry:
    """Return an entry whose fields are what they should be.

    Raises:
        ValueError: they are not.
    """
    plain = isinstance(entry.key, str) and Path(entry.key).name == entry.key and isinstance(entry.made_from, dict)
    distances = all(type(distance) is int and distance > 0 for distance in entry.distances)
    if not (plain and distances and entry.part in PARTS and isinstance(entry.labelled, bool)):
        raise ValueError("its key, part, distances or labelled")
    return entry


def clip_path(path: Path, key: str) -> Path:
    """Where a clip's records are."""
    return path / "clips" / f"{key}.npy"


def clip_records(path: Path, entry: ClipEntry, dtype: np.dtype) -> np.ndarray:
    """Return the records of a clip; they are read from the disk where they are looked at.

    Args:
        path: of the store.
        entry: of the clip.
        dtype: of a record.

    Raises:
        DataError: the clip's file is missing, or is not what the store says.
    """
    file, count = clip_path(path, entry.key), len(entry.distances) + 1
    advice = "type the same `edge-arseg train prepare` again, which makes it anew"
    try:
        records = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{file}: missing or cut off ({error}); {advice}") from error
    if records.dtype != dtype or records.shape != (count,):
        raise DataError(f"{file}: {records.shape} of {records.dtype} seen, not what the store says; {advice}")
    return records


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
        return clip_records(self.path, entry, self._dtype)
