"""Results under hidden names until they are whole."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from edge_arseg.archive.shelf import Shelf, shelf_of
from edge_arseg.errors import SinkError
from edge_arseg.storage.files.identity import is_special
from edge_arseg.storage.files.lock import Lock, lock_on, lock_on_abandoned
from edge_arseg.storage.folders import made_folders, remove_folders
from edge_arseg.storage.object_store import is_object, names_object
from edge_arseg.storage.scratch import scratch_folder
from edge_arseg.storage.url import label_of
from edge_arseg.video.sinks.base import sink_errors
from edge_arseg.video.sinks.class_ids.masks import mask_paths
from edge_arseg.video.sinks.kinds import SINKS
from edge_arseg.video.sinks.place import place_from_uri

HIDDEN = ".part-"
PLAIN = "file"
"""Scheme of a plain path."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a sink writes in the end.

    Attributes:
        uri: of the sink, as given.
        scheme: of its kind, a key of ``SINKS``.
        folder: that the result lies in; ``None``: the sink writes to no place.
        name: of the result in it.
    """

    uri: str = field(repr=False)
    scheme: str
    folder: str | None = field(default=None, repr=False)
    name: str = ""

    @property
    def place(self) -> str | None:
        """Path of the result."""
        return None if self.folder is None else os.path.join(self.folder, self.name)  # noqa: PTH118 - may be a URL

    def at(self, folder: Path) -> str:
        """Return the name of the same sink in another folder."""
        if self.folder is None:
            return self.uri
        place = folder.absolute() / self.name
        return str(place) if self.scheme == PLAIN else f"{self.scheme}://{place}"  # of a file:// %20 would be decoded


def target_of(uri: str) -> Target:
    """Return where a sink writes in the end.

    Raises:
        SinkError: it names no sink, or one that is no place for results of many videos, such as a pipe.
    """
    kind, separator, rest = uri.partition("://")
    if separator and names_object(uri):
        return _in_store(uri, uri if is_object(uri) else rest, PLAIN if is_object(uri) else kind.lower())
    place = place_from_uri(uri, SINKS)
    scheme = next(name for name, kind in SINKS.items() if kind is place.kind)
    if place.path is None:
        if place.descriptor is not None:
            raise SinkError(f"cannot write {label_of(uri)}: an open file cannot be begun again; expected a path")
        return Target(uri, scheme)
    if is_special(place.path):
        raise SinkError(f"cannot write {label_of(uri)}: a device or a pipe cannot be begun again; expected a file")
    return Target(uri, scheme, str(place.path.parent), place.path.name)


def _in_store(uri: str, url: str, scheme: str) -> Target:
    """A sink of an object store: ``jsonl://s3://bucket/name.jsonl``, or ``s3://bucket/name.mp4``."""
    folder, _, name = url.rstrip("/").rpartition("/")
    local = place_from_uri(f"{scheme}://{tempfile.gettempdir()}/{name}", SINKS)  # says what is wrong with the kind
    scheme = next(known for known, kind in SINKS.items() if kind is local.kind)
    if not name or folder.endswith("/") or not local.kind.placed:
        raise SinkError(f"cannot write {label_of(uri)}: expected a name in a bucket, like s3://bucket/results/name.mp4")
    return Target(uri, scheme, folder, name)


def in_store(target: Target) -> bool:
    """Whether a sink writes to an object store."""
    return target.folder is not None and is_object(target.folder)


class Staged:
    """Sinks that write beside their places; a context manager, which removes what was not put in place.

    A ``SinkError`` inside names the places, and no hidden names.

    Args:
        targets: of the sinks.
        key: of the video; part of the hidden names, so that what killed processes left is found.

    Attributes:
        uris: of the sinks meanwhile.
        results: places and bytes of what was put in place.

    Raises:
        SinkError: a place cannot be written.
    """

    def __init__(self, targets: Sequence[Target], key: str) -> None:
        self._targets, self._key = targets, key
        self._made: list[Path] = []
        self._scratch = ExitStack()
        self._folders: list[Path | None] = []
        self._locks: list[Lock | None] = []
        self.uris: list[str] = []
        self.results: list[tuple[str, int]] = []

    def __enter__(self) -> "Staged":
        try:
            for target in self._targets:
                with sink_errors(label_of(target.uri)):
                    self._stage(target)
        except BaseException:
            self._discard()
            raise
        return self

    def _stage(self, target: Target) -> None:
        folder: Path | None = None
        if target.folder is not None and is_object(target.folder):
            folder = self._scratch.enter_context(scratch_folder("archive"))
        elif target.folder is not None:
            self._made = made_folders(Path(target.folder)) + self._made
            folder = Path(tempfile.mkdtemp(prefix=f"{HIDDEN}{self._key}-", dir=target.folder))
            folder.chmod(0o777 & ~_umask())
            self._locks.append(lock_on(folder))
        self._folders.append(folder)
        self.uris.append(target.uri if folder is None else target.at(folder))

    def made(self, number: int) -> Path | None:
        """Return the path that the sink of a number writes to meanwhile; ``None``: to none."""
        folder = self._folders[number]
        return None if folder is None else folder / self._targets[number].name

    def taken(self) -> list[str]:
        """Return the places that are taken by something already."""
        return [
            str(target.place)
            for target, folder in self._pairs()
            if any(_is_taken(target, made.name) for made in _made_in(folder))
        ]

    def put(self) -> None:
        """Put everything in its place, over what is there.

        Raises:
            SinkError: it cannot be.
        """
        for target, folder in self._pairs():
            shelf: Shelf = shelf_of(str(target.folder))
            with sink_errors(label_of(target.uri)):
                for made in _made_in(folder):
                    shelf.put(made, made.name)
                    place = os.path.join(str(target.folder), made.name)  # noqa: PTH118 - may be a URL
                    self.results.append((place, shelf.size(made.name) or 0))

    def planned(self) -> list[tuple[str, int]]:
        """Return what ``results`` will be."""
        return [
            (os.path.join(str(target.folder), made.name), 0)  # noqa: PTH118 - may be a URL
            for target, folder in self._pairs()
            for made in _made_in(folder)
        ]

    def _pairs(self) -> list[tuple[Target, Path]]:
        pairs = zip(self._targets, self._folders, strict=True)
        return [(target, folder) for target, folder in pairs if folder is not None]

    def _discard(self) -> None:
        for folder in self._folders:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
        self._scratch.close()
        for lock in self._locks:
            if lock is not None:
                lock.release()
        remove_folders(self._made)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()
        if isinstance(error, SinkError) and (told := self._in_place(str(error))) != str(error):
            raise SinkError(told) from error

    def _in_place(self, text: str) -> str:
        """A message with the names that the user gave, in place of the hidden ones."""
        for target, uri, folder in zip(self._targets, self.uris, self._folders, strict=False):
            if folder is not None:
                text = text.replace(label_of(uri), label_of(target.uri))
                text = text.replace(str(folder.absolute()), label_of(str(target.folder)))
        return text


def sweep(targets: Sequence[Target], keys: set[str]) -> int:
    """Remove what killed processes left of some videos; say how many hidden folders that were.

    Args:
        targets: of their sinks.
        keys: of the videos.
    """
    removed = 0
    for place in {target.folder for target in targets if target.folder is not None and not is_object(target.folder)}:
        for left in Path(place).glob(f"{HIDDEN}*"):
            if left.name.removeprefix(HIDDEN).rpartition("-")[0] not in keys or left.is_symlink():
                continue
            with suppress(OSError):
                lock = lock_on_abandoned(left)
                if lock is not None:  # else a process is at it, or may be
                    shutil.rmtree(left, ignore_errors=True)
                    lock.release()
                    removed += 1
    return removed


def refuse_taken(places: Sequence[str]) -> None:
    """Refuse places that hold something which no record says is ours.

    Raises:
        SinkError: there are some.
    """
    if places:
        raise SinkError(
            f"cannot write {label_of(places[0])}: it exists already; type --force to replace it, or choose another name"
        )


def _is_taken(target: Target, name: str) -> bool:
    if target.scheme == "masks" and not in_store(target):  # other files of the folder stay: see `FolderShelf.put`
        place = Path(str(target.folder), name)
        return bool(mask_paths(place)) if place.is_dir() else os.path.lexists(place)
    return shelf_of(str(target.folder)).size(name) is not None


def _made_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith(HIDDEN))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
