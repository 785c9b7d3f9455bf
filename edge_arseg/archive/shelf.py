"""A folder that results and records are put into, one whole file after the other."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from edge_arseg.storage.files.whole import wait_for_disk, write_whole
from edge_arseg.storage.object_store import is_object
from edge_arseg.video.sinks.class_ids.masks import mask_paths


class Shelf(Protocol):
    """A place for whole files, on a disk or elsewhere. Names are relative to it; an empty one is the place itself.

    All methods raise ``OSError`` where the place cannot be read or written.
    """

    def inside(self, name: str) -> "Shelf":
        """Return the shelf of a folder in this one."""

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; ``None`` where there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Write a small file: the old one stays until the new one is whole."""

    def size(self, name: str) -> int | None:
        """Return the bytes of a file, or of all files in a folder; ``None`` where there is neither."""

    def remove(self, name: str) -> None:
        """Remove a folder and what is in it, if it is there."""

    def local(self, name: str, scratch: Path) -> Path:
        """Return a path on this machine to read a file or folder from; it may be a copy in ``scratch``."""

    def put(self, made: Path, name: str) -> None:
        """Give a file or folder that was made on this machine its name here, in place of what has it."""


class FolderShelf:
    """A folder of this machine's file systems.

    Args:
        path: the folder, or the file that an empty name stands for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def inside(self, name: str) -> "FolderShelf":
        """See ``Shelf``."""
        return FolderShelf(self._path / name)

    def read(self, name: str) -> bytes | None:
        """See ``Shelf``."""
        try:
            return (self._path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, name: str, data: bytes) -> None:
        """See ``Shelf``."""
        write_whole(self._path / name, data, sync=True)

    def size(self, name: str) -> int | None:
        """See ``Shelf``."""
        place = self._path / name
        try:
            if place.is_dir():
                return sum(file.stat().st_size for file in mask_paths(place) or place.iterdir())
            return place.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def remove(self, name: str) -> None:
        """See ``Shelf``."""
        shutil.rmtree(self._path / name, ignore_errors=True)

    def local(self, name: str, scratch: Path) -> Path:
        """See ``Shelf``."""
        return self._path / name

    def put(self, made: Path, name: str) -> None:
        """See ``Shelf``; ``made`` lies on the same disk."""
        place = self._path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        wait_for_disk(made)
        if not made.is_dir():
            made.replace(place)
            return
        try:
            made.rename(place)  # also over an empty folder
        except OSError:
            if not place.is_dir():
                raise
            _exchange(made, place)


def _exchange(made: Path, place: Path) -> None:
    """Put a folder in the place of one that holds older masks; other files in that one stay."""
    older = place.with_name(f"{made.parent.name}-older")
    place.rename(older)
    made.rename(place)
    for mask in mask_paths(older):
        mask.unlink()
    for other in older.iterdir():
        if not os.path.lexists(place / other.name):
            other.rename(place / other.name)
    with suppress(OSError):
        older.rmdir()


def shelf_of(place: str) -> Shelf:
    """Return the shelf of a place: a folder of this machine, or one in an object store."""
    if not is_object(place):
        return FolderShelf(Path(place))
    from edge_arseg.archive.store_shelf import StoreShelf  # needs fsspec

    return StoreShelf(place)
