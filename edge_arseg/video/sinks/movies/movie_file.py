"""One overlay video: a new file, or a pipe, and what is encoded into it."""

import os
import stat
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import SinkError
from edge_arseg.storage.files.identity import is_special
from edge_arseg.video.pixel_shape import SQUARE
from edge_arseg.video.sinks.movies.encoder import Encoder
from edge_arseg.video.sinks.movies.fragments import drop_cut_fragment
from edge_arseg.video.sinks.new_file import NewFile

# An mp4 is written in fragments and becomes an ordinary one when it is finished; killed, it is a playable fragmented
# file up to the last full second. FFmpeg before 7.1 has no such mode: there the fragments stay.
_MP4_OPTIONS = (
    {"movflags": "+hybrid_fragmented+frag_keyframe", "flush_packets": "1"},
    {"movflags": "+frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"},
)
MP4 = (".mp4", ".m4v", ".mov")
_CONTAINERS = {".mkv": "matroska", ".webm": "webm", ".m4v": "ipod"}
"""FFmpeg's names of containers that are not called as their endings are."""
_CODECS = {".webm": "libvpx-vp9", ".gif": "gif"}
_MKV_OPTIONS = ({"cluster_time_limit": "1000", "flush_packets": "1"},)

LONGEST_SIDE = 16384
"""Pixels that libx264 encodes at most; beyond, all that it says is "generic error"."""


class MovieFile:
    """Encodes pictures into one new file; its ending chooses container and codec. Errors of FFmpeg pass through.

    A named pipe is opened here, which waits until somebody reads it. FFmpeg must not wait for that: it would keep the
    interpreter from everything else, signals among it (`findings/pyav_output_holds_the_interpreter.sh`).

    Args:
        target: the URI, for messages.
        path: the file; see ``NewFile``.
        shape: rows and columns of the pictures.
        rate: frames per second, as a hint for the encoder.
        force: a file that is there may be replaced.

    Raises:
        SinkError: the file is there already, or the pictures are too large for a video.
        OSError: the file cannot be made.
    """

    def __init__(self, target: str, path: Path, shape: tuple[int, int], rate: float, *, force: bool) -> None:
        check_sides(target, shape)
        suffix = path.suffix.lower()
        self._path, self._file = path, NewFile(target, path, force=force)
        self._pipe: int | None = None
        try:
            if is_pipe(path):
                self._pipe = os.open(path, os.O_WRONLY)
            self._encoder = Encoder(
                # FFmpeg opens a file only with the first picture
                self._file.writes_to if self._pipe is None else f"pipe:{self._pipe}",
                shape,
                rate,
                container=None if self._pipe is None else _CONTAINERS.get(suffix, suffix[1:]),
                codec=_CODECS.get(suffix),
                container_options=_container_options(suffix),
                steady=suffix == ".avi",
                live=True,
            )
        except BaseException:
            self._let_go()
            raise

    def write(self, rgb: NDArray[np.uint8], time_s: float, pixel: Fraction = SQUARE) -> None:
        """Encode one picture, see ``Encoder``; with the first one the file gets its name."""
        self._encoder.write(rgb, time_s, pixel)
        self._file.publish()

    def close(self) -> None:
        """Encode what is held back, and finish the file.

        Raises:
            OSError: it was removed meanwhile.
        """
        try:
            self._encoder.close()
            self._file.publish()  # an encoder may hold back pictures, and all of a short run
            self._file.check_there()
        except BaseException:
            self._make_playable()
            raise
        finally:
            self._let_go()

    def abandon(self) -> None:
        """Close the file without encoding anything more; raises nothing."""
        with suppress(OSError, av.error.FFmpegError):
            self._encoder.abandon()
        self._make_playable()
        self._let_go()

    def _let_go(self) -> None:
        self._file.discard()
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            os.close(pipe)

    def _make_playable(self) -> None:
        if self._file.published and not is_special(self._path) and self._path.suffix.lower() in MP4:
            drop_cut_fragment(self._path)


def is_pipe(path: Path) -> bool:
    """Whether a path is a named pipe, which is written to at the pace of its reader."""
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except OSError:
        return False


def check_sides(target: str, shape: tuple[int, int]) -> None:
    """Refuse pictures that are too large for a video.

    Raises:
        SinkError: they are.
    """
    if max(shape) > LONGEST_SIDE:
        seen = "x".join(map(str, shape))
        raise SinkError(
            f"cannot write {target}: its pictures are {seen}, and a video has at most {LONGEST_SIDE} pixels a "
            "side; type --output-size model, or a smaller HxW"
        )


def _container_options(suffix: str) -> dict[str, str]:
    if suffix in (".avi", ".gif"):
        return {"flush_packets": "1"}
    if suffix in (".mkv", ".webm"):
        return _MKV_OPTIONS[0]
    return _MP4_OPTIONS[0 if av.library_versions["libavformat"] >= (61, 7, 0) else 1]
