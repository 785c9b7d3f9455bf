"""Writes a pair store, clip by clip; continues where it was stopped."""

from pathlib import Path
from typing import Any

import numpy as np

from edge_arseg.errors import DataError, SinkError
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.lock import Lock, lock_on
from edge_arseg.storage.files.whole import whole_file
from edge_arseg.training.pairs.pair import record_dtype
from edge_arseg.training.pairs.store import (
    ClipEntry,
    StoreHead,
    clip_path,
    clip_records,
    line_from_entry,
    read_entries,
    read_head,
    write_head,
)


class StoreWriter:
    """Adds clips to a store. One writer at a time.

    Args:
        path: the store's folder; made if missing.
        head: what all clips share.

    Raises:
        DataError: there is a store with another head, or something else, in the folder.
        SinkError: another writer is at work, or the folder cannot be written.
    """

    def __init__(self, path: str | Path, head: StoreHead) -> None:
        self.path, self.head = Path(path), head
        try:
            self._lock = self._begun()
        except DataError:
            raise
        except OSError as error:
            raise SinkError(f"cannot write {self.path}: {advice_on(error, self.path, option='-o')}") from error
        if self._lock is None:
            raise SinkError(f"{self.path}: a running process adds to it; wait for it, or choose another folder")
        self._entries = {entry.key: entry for entry in read_entries(self.path)}
        try:
            self._drop_cut_line()
            for part in (self.path / "clips").glob(".part-*"):  # of writers that were killed
                part.unlink(missing_ok=True)
        except OSError as error:
            raise SinkError(f"cannot write {self.path}: {advice_on(error, self.path, option='-o')}") from error

    def _begun(self) -> Lock | None:
        if (self.path / "store.json").exists():
            there = read_head(self.path)
            if there != self.head:
                raise DataError(
                    f"{self.path}: holds a store of {_told(there)}; this one is of {_told(self.head)}: choose another"
                )
        elif self.path.exists() and any(self.path.iterdir()):
            raise DataError(f"{self.path}: holds something else; expected a new or empty folder, or a pair store")
        else:
            write_head(self.path, self.head)
        return lock_on(self.path)

    def has(self, key: str, part: str, made_from: dict[str, Any]) -> bool:
        """Whether a clip is there already, whole.

        Raises:
            DataError: one of this name is there, made from something else or otherwise.
        """
        entry = self._entries.get(key)
        if entry is None:
            return False
        old, new = {"part": entry.part, **entry.made_from}, {"part": part, **made_from}
        if old != new:
            others = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
            raise DataError(
                f"{self.path}: its clip {key} was made with another {', '.join(others)}; choose another folder, or "
                "delete this one"
            )
        return self._is_whole(entry)

    def _is_whole(self, entry: ClipEntry) -> bool:
        """Whether the file of a clip is there, and as long as it was written."""
        try:
            clip_records(self.path, entry, record_dtype(self.head.height, self.head.width))
        except DataError:
            return False
        return True

    def add(self, entry: ClipEntry, records: np.ndarray) -> None:
        """Add a clip: ``[1 + len(entry.distances)]`` records, the keyframe first.

        Raises:
            SinkError: it cannot be written; the clips before it stay.
        """
        expected = record_dtype(self.head.height, self.head.width)
        assert records.dtype == expected
        assert records.shape == (1 + len(entry.distances),)
        path = clip_path(self.path, entry.key)
        try:
            with whole_file(path) as part, part.open("wb") as file:
                np.lib.format.write_array(file, records, version=(1, 0), allow_pickle=False)
            if entry.key not in self._entries:  # else only its file was lost
                with (self.path / "clips.jsonl").open("a") as lines:
                    lines.write(line_from_entry(entry))
        except OSError as error:  # NumPy tells of a full disk without its number
            raise SinkError(
                f"cannot write {path}: {advice_on(error, path, needed=records.nbytes)}; the clips before it are kept: "
                "make room, and type the same again"
            ) from error
        self._entries[entry.key] = entry

    def _drop_cut_line(self) -> None:
        path = self.path / "clips.jsonl"
        if path.exists():
            content = path.read_bytes()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                with path.open("r+b") as file:
                    file.truncate(whole)


def _told(head: StoreHead) -> str:
    return f"{head.height}x{head.width}, GOP {head.gop}, {len(head.classes)} classes ({head.classes[0].name}, ...)"
