"""Says what a file lacks at its end, where the container shows it."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edge_arseg.errors import SourceError
from edge_arseg.video.decoding.ends.parts import (
    AVI,
    FOOTER,
    GIF,
    INDEX,
    MATROSKA,
    MOST,
    MP4,
    MXF,
    OGG,
    Y4M,
    Layout,
    Part,
    layout_of,
)
from edge_arseg.video.decoding.metadata import tagged_duration_s
from edge_arseg.video.decoding.notices import notice
from edge_arseg.video.sources.playlists import END, is_unfinished

MOST_FAR = 64
"""Parts that are looked at in an object store, where each may be a request of its own, with megabytes read ahead."""

_PLAIN = (MP4, MATROSKA, GIF, MXF, OGG)
"""Containers that are cut off where a part of them is short, and nothing says how long the video is."""
_PICTURE_PARTS = ("", "mdat", "moof")
_FRAME = b"FRAME"  # begins a picture of Y4M


class Ending:
    """Follows the packets of a file, and holds them at its end against what the container says of itself.

    Two things have to come together: the file ends inside a part of its container, and less video came than the
    container declares. A duration alone proves nothing: it may be rounded, guessed, or that of the sound. A file that
    grew while it was read is never taken for one that was cut off.

    Args:
        file: a path, or an object with ``read``, ``seek`` and ``tell``; anything else is not looked at.
    """

    def __init__(self, file: Any) -> None:
        self._file = file if isinstance(file, Path) or hasattr(file, "seek") else None
        self._size = self._size_now()
        self._label = ""
        self._end_s = 0.0
        self._last: tuple[int, int] | None = None  # place behind the last packet, and its size, bytes

    @contextmanager
    def opening(self, label: str) -> Iterator[None]:
        """Around what opens the file: an error in there says that the file is cut off, where it is.

        Raises:
            SourceError: the one that was raised, with what the file lacks.
        """
        self._label = label
        try:
            yield
        except SourceError as fault:
            layout = self._layout()
            if layout is None or layout.short is None:
                raise
            there = self._bytes(layout.short)
            if layout.kind != MP4 or INDEX in layout.names:
                raise SourceError(f"{fault}; the file is cut off or broken: {there}") from fault
            where = "inside" if layout.short.name == INDEX else "before"
            raise SourceError(
                f"{label}: the file is cut off {where} its index: {there}; was it copied or recorded to its end?"
            ) from fault

    def look(self, packet: Any, rate: float | None) -> None:
        """Take notice of the next packet.

        Args:
            packet: of the video.
            rate: frames a second, if known.
        """
        if self._file is None or not packet.size or packet.is_corrupt:
            return
        if packet.pos is not None:
            self._last = packet.pos + packet.size, packet.size
        time = packet.pts if packet.pts is not None else packet.dts
        if time is not None and packet.time_base:
            lasts_s = float(packet.duration * packet.time_base) if packet.duration else 1 / rate if rate else 0.0
            self._end_s = max(self._end_s, float(time * packet.time_base) + lasts_s)

    def lack(self, container: Any, stream: Any) -> str | None:
        """Say how much of the file is there; ``None`` where nothing shows that some is missing.

        A line in the log says where a second video is joined to the first, and where a GIF or a playlist has no end.

        Args:
            container, stream: that were read to their end.
        """
        if isinstance(self._file, Path) and is_unfinished(self._file):
            notice(f"{self._label}: a playlist without its end mark ({END}); it was read as far as it is written")
        layout = self._layout()
        if layout is None:
            return None
        if layout.joined:
            notice(f"{self._label}: another video is joined to it, and FFmpeg reads the first alone; cut them apart")
        if layout.kind == GIF and layout.short is None and layout.end == self._size:
            notice(f"{self._label}: a GIF without its end mark; pictures behind its last one may be missing")
        if layout.kind == Y4M:
            return self._rest_of_picture()
        short, declared_s = layout.short, _declared_s(layout, container, stream)
        if short is None or (layout.kind == MP4 and short.name not in _PICTURE_PARTS):
            return None
        if layout.kind == MXF and FOOTER in (short.name, *layout.names):
            return None
        if declared_s is None:
            return self._bytes(short) if layout.kind in _PLAIN else None
        half_s = 0.5 / float(stream.average_rate) if stream.average_rate else 0.02
        if self._end_s > declared_s - half_s:
            return None
        return f"{self._end_s:.1f} of {declared_s:.1f} s, {self._bytes(short)}"

    def grew(self) -> bool:
        """Whether the file has another size than when it was opened: somebody is writing it."""
        return self._size != self._size_now()

    def _bytes(self, short: Part) -> str:
        return f"{self._size:,} of at least {short.end:,} bytes are there"

    def _layout(self) -> Layout | None:
        if self._size is None or self.grew():
            return None
        with suppress(OSError), self._opened() as file:
            return layout_of(file, self._size, MOST if isinstance(self._file, Path) else MOST_FAR)
        return None

    def _rest_of_picture(self) -> str | None:
        """Pictures of Y4M have one size, and nothing says how many there are."""
        if self._last is None or self._size is None or self._size <= self._last[0]:
            return None
        with suppress(OSError), self._opened() as file:
            file.seek(self._last[0])
            begun = file.read(len(_FRAME))
            if _FRAME.startswith(begun):
                return (
                    f"{self._size - self._last[0]:,} of more than {self._last[1]:,} bytes of its last picture are there"
                )
        return None

    def _size_now(self) -> int | None:
        """Bytes; ``None`` where there is no file that can be read at any place."""
        with suppress(OSError):
            if isinstance(self._file, Path):
                status = os.stat(self._file)  # noqa: PTH116 - one call for both
                return status.st_size if stat.S_ISREG(status.st_mode) else None
            if self._file is not None:
                place = self._file.tell()
                size = int(self._file.seek(0, os.SEEK_END))
                self._file.seek(place)
                return size
        return None

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        if isinstance(self._file, Path):
            with self._file.open("rb") as file:
                yield file
        else:
            yield self._file


def _declared_s(layout: Layout, container: Any, stream: Any) -> float | None:
    """Second at which the video ends, as the container says."""
    if layout.kind == AVI:
        return float(stream.frames * stream.time_base) if stream.frames else None
    if layout.kind == MATROSKA:
        tagged_s = tagged_duration_s(stream)  # of this stream; what the container says is of the longest one
        return container.duration / 1e6 if tagged_s is None and container.duration else tagged_s
    if layout.kind == MP4:
        fragments = "moof" in layout.names or (layout.short is not None and layout.short.name == "moof")
        return None if fragments or not stream.duration else float(stream.duration * stream.time_base)
    return layout.duration_s
