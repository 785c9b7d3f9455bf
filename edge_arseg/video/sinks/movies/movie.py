"""The overlay as a video file."""

from contextlib import suppress
from pathlib import Path

import av

from edge_arseg.errors import SinkError
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.model import ClassInfo
from edge_arseg.video.overlay.drawing import Overlay
from edge_arseg.video.overlay.style import DEFAULT_STYLE, OverlayStyle
from edge_arseg.video.sinks.base import Sink, sink_errors
from edge_arseg.video.sinks.encoding_thread import EncodingThread
from edge_arseg.video.sinks.movies.canvas import Canvas
from edge_arseg.video.sinks.movies.encoder import Encoder
from edge_arseg.video.sinks.movies.result_copy import ResultCopy
from edge_arseg.video.sinks.new_file import NewFile

# An mp4 is written in fragments and becomes an ordinary one when it is finished; killed, it is a playable fragmented
# file up to the last full second. FFmpeg before 7.1 has no such mode: there the fragments stay.
_MP4_OPTIONS = (
    {"movflags": "+hybrid_fragmented+frag_keyframe", "flush_packets": "1"},
    {"movflags": "+frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"},
)
_CODECS = {".webm": "libvpx-vp9", ".gif": "gif"}
_MKV_OPTIONS = ({"cluster_time_limit": "1000", "flush_packets": "1"},)


LONGEST_SIDE = 16384
"""Pixels that libx264 encodes at most; beyond, all that it says is "generic error"."""


class MovieSink(Sink):
    """Writes the overlay (see ``Overlay``) as H.264, or MPEG-4 where FFmpeg has no H.264 encoder; ``.webm`` is VP9,
    ``.gif`` has 256 colours a picture and at most 50 pictures a second.

    It is drawn and encoded by a thread of its own, which may be two results behind.

    The file can be played up to about a second before the moment the process was killed; ``.avi`` is whole only when it
    is closed. Frame times are kept, relative to the first frame; in ``.avi`` they are rounded to the rate. Where a
    source changes its size on the way, later pictures are fitted into the first one's.

    Args:
        target: the URI, for messages.
        path: the file; see ``NewFile``.
        size: rows and columns of the output; see ``open_sink``.
        rate: frames per second, as a hint for the encoder.
        classes: names and colours, by index.
        style: how the overlay looks.
        force: a file that is there may be replaced.

    Raises:
        SinkError: the file cannot be made, or is there already; or the pictures are too large for a video.
    """

    draws = True

    def __init__(
        self,
        target: str,
        path: Path,
        *,
        size: tuple[int, int],
        rate: float,
        classes: tuple[ClassInfo, ...],
        style: OverlayStyle = DEFAULT_STYLE,
        force: bool = False,
    ) -> None:
        super().__init__(target)
        self._size, self._canvas = size, Canvas(size)
        self._overlay = Overlay(size, classes, style)
        if max(self._overlay.shape) > LONGEST_SIDE:
            seen = "x".join(map(str, self._overlay.shape))
            raise SinkError(
                f"cannot write {target}: its pictures are {seen}, and a video has at most {LONGEST_SIDE} pixels a "
                "side; type --output-size model, or a smaller HxW"
            )
        with sink_errors(target):
            self._file = NewFile(target, path, force=force)
            try:
                self._encoder = Encoder(
                    self._file.writes_to,  # FFmpeg opens it only with the first picture
                    self._overlay.shape,
                    rate,
                    codec=_CODECS.get(path.suffix.lower()),
                    container_options=_container_options(path.suffix),
                    steady=path.suffix.lower() == ".avi",
                    live=True,
                )
            except BaseException:
                self._file.discard()
                raise
        self._thread = EncodingThread(ResultCopy, self._encode)
        self._begun = False

    def _write(self, result: SegmentedFrame) -> None:
        copy, picture = self._thread.room(), result.frame.picture
        if picture is not None and picture.shape[:2] == self._size:
            copy.take(result)  # its class map is enlarged by the thread
        else:
            fitting = self._canvas.filled(result)
            copy.take(fitting, fitting.at_source())
        self._thread.write(copy)
        if not self._begun:  # what is wrong with the place is said at once
            self._thread.wait()
            self._begun = True

    def _encode(self, copy: ResultCopy) -> None:
        self._encoder.write(self._overlay.draw(copy.result), copy.result.frame.time_s)
        self._file.publish()

    def _close(self) -> None:
        try:
            try:
                self._thread.stop()
            finally:
                self._encoder.close()
            self._file.publish()  # an encoder may hold back pictures, and all of a short run
        finally:
            self._file.discard()

    def _abandon(self) -> None:
        with suppress(OSError, av.error.FFmpegError):
            self._thread.stop()
        with suppress(OSError, av.error.FFmpegError):
            self._encoder.abandon()
        self._file.discard()


def _container_options(suffix: str) -> dict[str, str]:
    if suffix.lower() in (".avi", ".gif"):
        return {"flush_packets": "1"}
    if suffix.lower() in (".mkv", ".webm"):
        return _MKV_OPTIONS[0]
    return _MP4_OPTIONS[0 if av.library_versions["libavformat"] >= (61, 7, 0) else 1]
