"""The overlay as a video file."""

from contextlib import suppress
from pathlib import Path

import av

from edge_arseg.errors import SinkError
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.video.sinks.base import CLOSE_S, Sink, sink_errors
from edge_arseg.video.sinks.look import Look
from edge_arseg.video.sinks.movies.drawn import DrawnThread
from edge_arseg.video.sinks.movies.movie_file import MovieFile, is_pipe


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
        look: of the results. Beside a live source, who reads a pipe does not hold it up.

    Raises:
        SinkError: the file cannot be made, or is there already; or the pictures are too large for a video.
    """

    draws = True

    def __init__(self, target: str, path: Path, look: Look) -> None:
        super().__init__(target)
        self._patience_s = CLOSE_S if look.live and is_pipe(path) else None
        self._drawn = DrawnThread(look, lambda *picture: self._file.write(*picture))
        with sink_errors(target):
            self._file = MovieFile(target, path, self._drawn.shape, look.rate, force=look.force)

    @property
    def busy(self) -> bool:
        """See ``Sink``."""
        return self._drawn.thread.full

    def _write(self, result: SegmentedFrame) -> None:
        if self._patience_s is None:
            self._drawn.write_to_file(result)
        else:
            self._drawn.write(result)

    def _close(self) -> None:
        whole = True
        try:
            patience_s = self._patience_s
            if patience_s is not None:
                patience_s = max(patience_s - self._drawn.thread.stuck_s, 0.0)
            whole = self._drawn.thread.stop(patience_s)
        finally:
            if whole:
                self._file.close()
            else:
                self._give_up(self._drawn.thread.leave(self._file.abandon))

    def _abandon(self) -> None:
        with suppress(OSError, SinkError, av.error.FFmpegError):
            self._drawn.thread.stop()
        self._file.abandon()
