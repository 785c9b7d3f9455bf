"""The overlay as a row of video files, so that little is lost and old ones can be removed."""

import re
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import SinkError
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.storage.files.lock import is_locked
from edge_arseg.video.sinks.base import Sink, sink_errors
from edge_arseg.video.sinks.look import Look
from edge_arseg.video.sinks.movies.drawn import DrawnThread
from edge_arseg.video.sinks.movies.movie_file import MovieFile

WHOLE_WHEN_CLOSED = (".avi", ".gif")
"""Endings of files that cannot be played before they are closed."""


class SegmentsSink(Sink):
    """Writes the overlay into ``NAME-00000.mp4``, ``NAME-00001.mp4`` and so on, each of one length, playable by itself.

    A segment ends with the first picture that comes at its length or later; its times begin at 0. A closed segment is
    an ordinary file. Of the last one about a second is lost where the process is killed.

    Args:
        target: the URI, for messages.
        path: the name without the numbers.
        look: of the results. With ``force``, segments of this name that are there are removed when the first new one
            begins.
        length_s: of a segment, in seconds of the source.

    Raises:
        SinkError: there are segments already.
    """

    draws = True

    def __init__(self, target: str, path: Path, look: Look, *, length_s: float) -> None:
        super().__init__(target)
        self._path, self._length_s, self._rate, self._force = path, length_s, look.rate, look.force
        self._drawn = DrawnThread(look, self._encode)
        self._count = 0
        self._start_s: float | None = None
        with sink_errors(target):
            check_segments(target, path, force=look.force)
            self._file: MovieFile | None = self._next_file()

    @property
    def busy(self) -> bool:
        """See ``Sink``."""
        return self._drawn.thread.full

    def _write(self, result: SegmentedFrame) -> None:
        self._drawn.write_to_file(result)

    def _next_file(self) -> MovieFile:
        path = segment_path(self._path, self._count)
        return MovieFile(self.target, path, self._drawn.shape, self._rate, force=self._force)

    def _encode(self, rgb: NDArray[np.uint8], time_s: float, pixel: Fraction) -> None:
        if self._start_s is None:
            self._start_s = time_s
            for old in segment_paths(self._path):
                old.unlink()
        elif time_s - self._start_s >= self._length_s:
            self._finish()
            self._start_s = time_s
            self._count += 1
            self._file = self._next_file()
        if self._file is not None:
            self._file.write(rgb, time_s, pixel)

    def _finish(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _close(self) -> None:
        try:
            self._drawn.thread.stop()
        finally:
            self._finish()

    def _abandon(self) -> None:
        with suppress(OSError, SinkError, av.error.FFmpegError):
            self._drawn.thread.stop()
        file, self._file = self._file, None
        if file is not None:
            file.abandon()


def segment_path(path: Path, number: int) -> Path:
    """Return the name of one segment, counted from 0."""
    return path.with_name(f"{path.stem}-{number:05d}{path.suffix}")


def is_segment_name(path: Path, name: str) -> bool:
    """Whether a segment may have a name."""
    return re.fullmatch(rf"{re.escape(path.stem)}-[0-9]{{5,}}{re.escape(path.suffix)}", name) is not None


def segment_paths(path: Path) -> list[Path]:
    """Return the segments of a name that are there, in order."""
    try:
        return sorted((it for it in path.parent.iterdir() if is_segment_name(path, it.name)), key=lambda it: it.name)
    except FileNotFoundError:
        return []


def check_segments(target: str, path: Path, *, force: bool) -> None:
    """Refuse a name of which there are segments.

    Raises:
        SinkError: there are, and ``force`` is not set or a running process writes to one.
        OSError: the folder cannot be looked into.
    """
    if path.suffix.lower() in WHOLE_WHEN_CLOSED:
        raise SinkError(
            f"cannot write {target}: a {path.suffix} can be played only when it is closed; for segments choose .mp4 or "
            ".mkv"
        )
    there = segment_paths(path)
    if there and not force:
        raise SinkError(
            f"cannot write {target}: there are {len(there)} segments already, {there[0].name} the first; type "
            "--force to remove them, or choose another name"
        )
    if busy := next((file for file in there if is_locked(file)), None):
        raise SinkError(f"cannot write {target}: a running process writes {busy.name}; choose another name")
