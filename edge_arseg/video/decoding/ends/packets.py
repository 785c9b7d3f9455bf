"""The packets of a stream up to its true end."""

import errno
from typing import Any

import av

_HOLLOW = ("mpegts", "hls")


class Packets:
    """Iterates over the packets of a stream, and at last over the flush, which has no bytes.

    FFmpeg ends too early in two places:

    - A recorder that loses its power leaves zeros in its file, at the end or in the middle. A read that finds no packet
      of MPEG-TS in 64 kB of them ends with an error.
    - A server need not say how long its answer is: the connection then ends with it. FFmpeg takes that for one that
      broke off.

    Args:
        container: that is open, anywhere.
        stream: of it.

    Attributes:
        holes: that were passed, of packets that are none of MPEG-TS.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        self._container, self._stream = container, stream
        self._coming = container.demux(stream)
        self.holes = 0

    def __iter__(self) -> "Packets":
        return self

    def __next__(self) -> Any:
        while True:
            try:
                return next(self._coming)
            except av.error.BlockingIOError:
                if self._container.format.name not in _HOLLOW:
                    raise
                self.holes += 1
                self._coming = self._container.demux(self._stream)
            except OSError as fault:
                if fault.errno != errno.EIO or not self._has_no_length:
                    raise
                self._coming = iter((self._flush(),))

    @property
    def _has_no_length(self) -> bool:
        name = self._container.name.lower() if isinstance(self._container.name, str) else ""
        return name.startswith(("http://", "https://")) and self._container.size < 0

    def _flush(self) -> Any:
        flush = av.Packet()
        flush.stream = self._stream
        return flush
