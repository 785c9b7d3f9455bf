"""One index PNG per frame."""

import errno
import os
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import SinkError
from edge_arseg.quantity import counted
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.model import ClassInfo
from edge_arseg.storage.files.lock import Lock, lock_on
from edge_arseg.storage.folders import made_folders, remove_folders
from edge_arseg.storage.url import printable
from edge_arseg.video.sinks.base import Sink, sink_errors
from edge_arseg.video.sinks.class_ids.png import is_index_png, palette_from_classes, png_from_indices
from edge_arseg.video.sinks.encoding_thread import EncodingThread

_NAME = re.compile(r"[0-9]{6,}\.png")


class MasksSink(Sink):
    """Writes ``NNNNNN.png`` into a directory, named by the index of the frame in its source.

    A mask has the size of the source's picture, or the output size that was asked for. The bytes are the class indices,
    255 where the network did not see the picture; the palette holds the class colours.

    A thread compresses and writes, up to two masks behind. A file appears complete or not at all. Masks of an earlier
    run are removed when the first mask of this one is written, so old and new are never mixed, and a run that fails
    before loses nothing.

    Args:
        target: the URI, for messages.
        directory: made if missing; removed again if no mask comes.
        classes: names and colours, by index.
        force: masks that are there may be removed.

    Raises:
        SinkError: the directory cannot be made or written to, holds masks, or a running process writes to it.
    """

    def __init__(self, target: str, directory: Path, classes: tuple[ClassInfo, ...], *, force: bool = False) -> None:
        super().__init__(target)
        self._directory = directory
        self._palette = palette_from_classes(classes)
        self._part = directory / ".part.png"
        self._begun = False
        self._lock: Lock | None = None
        with sink_errors(target):
            check_masks(target, directory, force=force)
            self._made = made_folders(directory)
            try:
                self._lock = lock_on(directory)
                if self._lock is None:
                    raise SinkError(
                        f"cannot write {target}: a running process writes masks there; choose another folder"
                    )
                self._part.write_bytes(b"")  # says now, not after the first inference, that the place is read-only
                self._part.unlink()
            except BaseException:
                self._let_go()
                raise
        self._thread = EncodingThread(_MapCopy, self._encode)

    @property
    def busy(self) -> bool:
        """See ``Sink``."""
        return self._thread.full

    def _write(self, result: SegmentedFrame) -> None:
        copy = self._thread.room()
        copy.take(result.frame.index, result.at_source())
        self._thread.write(copy)
        if not self._begun:  # what is wrong with the place is said at once
            self._thread.wait()

    def _encode(self, copy: "_MapCopy") -> None:
        self._part.write_bytes(png_from_indices(copy.class_map, self._palette))
        if not self._begun:
            for old in mask_paths(self._directory):
                old.unlink()
            self._begun = True
        self._part.replace(self._directory / f"{copy.index:06d}.png")

    def _close(self) -> None:
        try:
            self._thread.stop()
            self._part.unlink(missing_ok=True)
        finally:
            self._let_go()

    def _abandon(self) -> None:
        with suppress(OSError):
            self._thread.stop()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)  # left behind by an error in the middle of a mask
        self._let_go()

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release()
        if not self._begun:
            remove_folders(self._made)


class _MapCopy:
    """A class map that is compressed while the next ones are made; its array is used again.

    Attributes:
        index: of the frame in its source.
        class_map: ``[H, W] uint8``.
    """

    def __init__(self) -> None:
        self.index = 0
        self.class_map = np.empty((0, 0), np.uint8)

    def take(self, index: int, class_map: NDArray[np.uint8]) -> None:
        """Copy a class map."""
        self.index = index
        if self.class_map.shape != class_map.shape:
            self.class_map = np.empty(class_map.shape, np.uint8)
        np.copyto(self.class_map, class_map)


def is_mask_name(name: str) -> bool:
    """Whether a file name is one that this sink writes."""
    return _NAME.fullmatch(name) is not None


def mask_paths(directory: Path) -> list[Path]:
    """Return the files of a folder whose names are those of masks; none where there is no such folder."""
    try:
        return sorted(path for path in directory.iterdir() if is_mask_name(path.name))
    except FileNotFoundError:
        return []


def check_masks(target: str, directory: Path, *, force: bool) -> None:
    """Refuse a folder that holds masks, or with ``force`` one where these are something else.

    Raises:
        SinkError: it does.
        OSError: it is a file, or cannot be looked into.
    """
    if directory.exists() and not directory.is_dir():
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), str(directory))
    there = mask_paths(directory)
    if there and not force:
        raise SinkError(
            f"cannot write {target}: it holds {counted(len(there), 'mask')} already, {there[0].name} the first; "
            "type --force to "
            "remove them, or choose another folder"
        )
    strange = next((path for path in there if path.is_symlink() or not is_index_png(path)), None)
    if strange is not None:
        raise SinkError(
            f"cannot write {target}: {printable(strange.name)} in it has a mask's name, but is no mask, so it is not "
            "removed; choose another folder"
        )
