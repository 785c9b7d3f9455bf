"""The overlay as a folder that a web server can hand out: a playlist and short segments."""

import re
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import SinkError
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.storage.files.lock import Lock, lock_on
from edge_arseg.storage.files.whole import write_whole
from edge_arseg.storage.folders import made_folders, remove_folders
from edge_arseg.video.sinks.base import Sink, sink_errors
from edge_arseg.video.sinks.look import Look
from edge_arseg.video.sinks.movies.drawn import DrawnThread
from edge_arseg.video.sinks.movies.encoder import Encoder
from edge_arseg.video.sinks.movies.movie_file import check_sides
from edge_arseg.video.sinks.streams.muxed_files import MuxedFiles

PLAYLIST = "live.m3u8"
END = "#EXT-X-ENDLIST"
"""The last line of the playlist of a run that has ended."""

SEGMENT_S = 2
"""Seconds of a segment: players wait for about three."""

LIVE_SEGMENTS = 30
"""Segments that the playlist of a live source holds; older ones are removed."""

_NAME = re.compile(r"[0-9]{6,}\.ts|live\.m3u8(\.tmp)?|[0-9]{6,}\.ts\.tmp")


class HlsSink(Sink):
    """Writes ``live.m3u8`` and ``000000.ts`` and so on into a folder; see ``Overlay`` for what they show.

    A segment and each new playlist appear whole. Of a file all segments stay, of a live source those of the last
    minute.

    Args:
        target: the URI, for messages.
        directory: made if missing; removed again if no picture comes.
        look: of the results. With ``force``, a playlist and segments that are there may be removed.

    Raises:
        SinkError: the folder cannot be made, holds a playlist, or a running process writes to it.
    """

    draws = True

    def __init__(self, target: str, directory: Path, look: Look) -> None:
        super().__init__(target)
        self._directory, self._rate, self._live = directory, look.rate, look.live
        self._drawn = DrawnThread(look, self._encode)
        self._encoder: Encoder | None = None
        self._files = MuxedFiles()
        self._playlist, self._looked_s = "", 0.0
        self._lock: Lock | None = None
        check_sides(target, self._drawn.shape)
        with sink_errors(target):
            check_hls(target, directory, force=look.force)
            self._made = made_folders(directory)
            try:
                self._lock = lock_on(directory)
                if self._lock is None:
                    raise SinkError(f"cannot write {target}: a running process writes there; choose another folder")
                probe = directory / f"{PLAYLIST}.tmp"
                probe.write_bytes(b"")  # says now, not after the first inference, that the place is read-only
                probe.unlink()
            except BaseException:
                self._let_go()
                raise

    @property
    def busy(self) -> bool:
        """See ``Sink``."""
        return self._drawn.thread.full

    def _write(self, result: SegmentedFrame) -> None:
        self._drawn.write_to_file(result)

    def _encode(self, rgb: NDArray[np.uint8], time_s: float, pixel: Fraction) -> None:
        if self._encoder is None:
            for old in hls_paths(self._directory):
                old.unlink()
            self._encoder = Encoder(
                self._directory / PLAYLIST,
                self._drawn.shape,
                self._rate,
                container="hls",
                container_options=self._options(),
                opened=self._files.open,
                live=True,
            )
        self._encoder.write(rgb, time_s, pixel)
        self._files.check()
        if abs(time_s - self._looked_s) >= 1:
            self._looked_s = time_s
            self._look()

    def _look(self) -> None:
        """Remember the playlist, which names segments that are whole."""
        with suppress(FileNotFoundError):
            self._playlist = (self._directory / PLAYLIST).read_text()

    def _options(self) -> dict[str, str]:
        options = {
            "hls_time": str(SEGMENT_S),
            "hls_segment_filename": f"{str(self._directory).replace('%', '%%')}/%06d.ts",
            "hls_flags": "temp_file+independent_segments",
        }
        if self._live:
            options["hls_flags"] += "+delete_segments"
            return options | {"hls_list_size": str(LIVE_SEGMENTS)}
        return options | {"hls_list_size": "0", "hls_playlist_type": "event"}

    def _close(self) -> None:
        try:
            self._drawn.thread.stop()
        finally:
            try:
                if self._encoder is not None:
                    self._encoder.close()
                    self._files.check()
                    self._look()
            except BaseException:
                self._tidy()
                raise
            finally:
                self._let_go()

    def _abandon(self) -> None:
        with suppress(OSError, SinkError, av.error.FFmpegError):
            self._drawn.thread.stop()
        with suppress(OSError, av.error.FFmpegError):
            if self._encoder is not None:
                self._encoder.abandon()
        self._tidy()
        self._let_go()

    def _tidy(self) -> None:
        """Leave the last playlist that was whole, and what it names."""
        named = {line for line in self._playlist.splitlines() if not line.startswith("#")}
        with suppress(OSError):
            for path in hls_paths(self._directory) if self._encoder is not None else ():
                if path.name not in named:
                    path.unlink()
            if named:
                end = "" if END in self._playlist else f"{END}\n"
                write_whole(self._directory / PLAYLIST, f"{self._playlist}{end}".encode())
            else:
                remove_folders(self._made)

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release()
        if self._encoder is None:
            remove_folders(self._made)


def is_hls_name(name: str) -> bool:
    """Whether a file of this name is one that the sink writes, and removes where it begins anew."""
    return _NAME.fullmatch(name) is not None


def hls_paths(directory: Path) -> list[Path]:
    """Return the files of a folder whose names are those of a playlist and its segments."""
    try:
        return sorted(path for path in directory.iterdir() if is_hls_name(path.name))
    except FileNotFoundError:
        return []


def check_hls(target: str, directory: Path, *, force: bool) -> None:
    """Refuse a folder that holds a playlist or segments already.

    Raises:
        SinkError: it does, and ``force`` is not set.
        OSError: it is a file, or cannot be looked into.
    """
    if directory.exists() and not directory.is_dir():
        raise NotADirectoryError(20, "Not a directory", str(directory))
    there = hls_paths(directory)
    if there and not force:
        raise SinkError(
            f"cannot write {target}: {there[0].name} is in it already; type --force to remove the playlist and its "
            "segments, or choose another folder"
        )
