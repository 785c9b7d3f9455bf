"""Servers that say nothing: told by the clock, because FFmpeg reports a timeout as many things, or as none."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import av

from edge_arseg.errors import SourceError

_NEARLY = 0.95
"""Share of a timeout: what took so long ran into it."""


class Silence:
    """Turns what comes after a timeout into the error that it is.

    When FFmpeg gives up waiting for an answer, it continues with nothing and finds it unreadable. When it gives up
    waiting for data, it first hands out the picture that it held back, as if it had just come.

    Args:
        timeout_s: to open, and to wait for data, seconds; ``None``: the source is none of a network.
    """

    def __init__(self, timeout_s: tuple[float, float] | None) -> None:
        self._timeout_s = timeout_s

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
