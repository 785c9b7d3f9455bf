"""Servers that say nothing: told by the clock, because FFmpeg reports a timeout as many things, or as none."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import av

from edge_arseg.errors import SourceError
from edge_arseg.video.sources.folder import PLAYLISTS
from edge_arseg.video.sources.kinds import SourceKind
from edge_arseg.video.uri import Source

_NEARLY = 0.95
"""Share of a timeout: what took so long ran into it."""
_SEGMENT_S = 30.0
"""Seconds that the next segment of a live playlist (HLS) is waited for at least: one comes every 2 to 10 seconds."""


class Silence:
    """Turns what comes after a timeout into the error that it is.

    When FFmpeg gives up waiting for an answer, it continues with nothing and finds it unreadable. When it gives up
    waiting for data, it first hands out the picture that it held back, as if it had just come.

    Args:
        source: that is opened.
        timeout_s: to open, and to wait for data, seconds.

    Attributes:
        timeout_s: the same for FFmpeg; ``None`` for a file of this machine. A disk may take long to wake up, and who
            writes into a named pipe has all the time there is.
    """

    def __init__(self, source: Source, timeout_s: tuple[float, float]) -> None:
        playlist = _is_playlist(source)
        if playlist:
            timeout_s = timeout_s[0], max(timeout_s[1], _SEGMENT_S)
        self.timeout_s = None if source.path is not None else timeout_s
        self._timeout_s = timeout_s if playlist or source.kind == SourceKind.STREAM else None

    @contextmanager
    def opening(self, label: str) -> Iterator[None]:
        """Around what opens a stream.

        Raises:
            SourceError: it failed, and the time to open was up.
        """
        start = time.monotonic()
        try:
            yield
        except (av.error.FFmpegError, SourceError) as fault:
            taken_s = time.monotonic() - start
            if self._timeout_s is None or taken_s < _NEARLY * min(self._timeout_s):
                raise
            raise SourceError(
                f"{label}: nothing came for {taken_s:.0f} s; check that the server answers, and that this is "
                "the address of a video"
            ) from fault

    @contextmanager
    def reading(self, label: str) -> Iterator[None]:
        """Around what waits for the next data.

        Raises:
            SourceError: it took longer than the time to wait for data, whatever came in the end.
        """
        start = time.monotonic()
        yield
        taken_s = time.monotonic() - start
        if self._timeout_s is not None and taken_s >= _NEARLY * self._timeout_s[1]:
            raise SourceError(
                f"{label}: no data arrived for {taken_s:.0f} s; check that the server or camera still sends"
            )


def _is_playlist(source: Source) -> bool:
    """Whether a source is a playlist on a server. FFmpeg takes what comes after a timeout there for its end."""
    if source.path is not None or source.kind != SourceKind.FILE:
        return False
    return urlsplit(source.location).path.lower().endswith(PLAYLISTS)
