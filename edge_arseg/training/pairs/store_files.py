"""The files of a pair store.

::

    STORE/
      store.json        revision, classes, size of the frames, GOP            written first
      clips.jsonl       one line per clip: its file, what it holds, how it was made
      clips/KEY.npy     one array of records (``record_dtype``): the keyframe, then chosen later frames

A clip's file is written under another name and renamed, and its line is added after that. So whenever the process is
killed, every whole line names a whole file, and preparing goes on behind them. Files are plain arrays: reading a
random pair touches only its own pages.

Revisions: 1, the first.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edge_arseg.errors import DataError
from edge_arseg.spec.model import ClassInfo

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
    temporary = path / "store.json.part"
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    temporary.replace(path / "store.json")


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
