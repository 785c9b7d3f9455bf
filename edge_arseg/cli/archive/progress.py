"""How far an archive is: videos, frames, and the time that is left."""

import time
from collections.abc import Sequence

from edge_arseg.archive.segmenting import Video
from edge_arseg.cli.progress import Meter, Unit
from edge_arseg.quantity import counted
from edge_arseg.video.uri import source_from_uri

VIDEOS = Unit("{done} of {total} video{s}", "{done} video{s}", "")
_MINUTE_S, _HOUR_S = 60, 3600


class ArchiveProgress(Meter):
    """Counts videos and frames. The time that is left follows from the bytes of the videos, which differ in length.

    Args:
        videos: to segment.
    """

    def __init__(self, videos: Sequence[Video]) -> None:
        super().__init__(len(videos), unit=VIDEOS)
        self._sizes = {video.key: _size(video) for video in videos}
        self._of_video = dict(self._sizes)  # bytes that are left
        self._left = sum(self._sizes.values())
        self._began = time.monotonic()
        self._done_bytes = 0
        self.frames = 0

    def __enter__(self) -> "ArchiveProgress":
        super().__enter__()
        if self._bar is not None:
            self._bar.columns = self._bar.columns[:-1]  # it would tell another time than ours
        return self

    def segmented(self, count: int) -> None:
        """Count frames."""
        self.frames += count
        self._tell(self.done)

    def part(self, video: Video, share: float) -> None:
        """Count a piece of a video."""
        self._took(video, round(share * self._sizes[video.key]))
        self._tell(self.done)

    def finished(self, video: Video) -> None:
        """Count a video."""
        self._took(video, self._of_video[video.key])
        self._tell(self.done + 1)

    def _took(self, video: Video, size: int) -> None:
        size = min(size, self._of_video[video.key])
        self._of_video[video.key] -= size
        self._done_bytes += size
        self._left -= size

    @property
    def seconds(self) -> float:
        """Since the first task."""
        return max(time.monotonic() - self._began, 1e-9)

    @property
    def left_s(self) -> float | None:
        """Seconds until all is done, as far as is known."""
        return self.seconds * self._left / self._done_bytes if self._done_bytes else None

    def _tell(self, done: int) -> None:
        left = self.left_s
        told = f"{counted(self.frames, 'frame')}, {self.frames / self.seconds:.1f} fps"
        self.show(done, self._total, "", detail=told if left is None else f"{told}, {duration(left)} to go")

    def _line(self) -> str:
        return ", ".join(filter(None, (self._count(), self._detail)))

    def _pace(self) -> str:
        return ""


def duration(seconds: float) -> str:
    """Return a time for people."""
    whole = round(seconds)
    if whole < 2 * _MINUTE_S:
        return f"{whole} s"
    if whole < 2 * _HOUR_S:
        return f"{whole / _MINUTE_S:.0f} min"
    return f"{whole / _HOUR_S:.1f} h"


def _size(video: Video) -> int:
    path = source_from_uri(video.source).path
    try:
        return 1 if path is None else max(1, path.stat().st_size)
    except OSError:
        return 1
