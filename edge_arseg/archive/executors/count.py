"""How many processes pay."""

from collections.abc import Sequence

from edge_arseg.archive.segmenting import Video
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.runtime.device.host_memory import host_memory
from edge_arseg.runtime.engines.opening import shared_gpu
from edge_arseg.video.uri import source_from_uri

MEMORY = 500_000_000
"""Bytes that a process is allowed for: engines, a video and its sinks."""

BYTES = 4_000_000
"""Of video that a process has to get, or its start, about a second, is not earned back."""

_ONE_PROCESS = "memory://"


def processes_that_pay(videos: Sequence[Video], backend: str, *, cores: int | None = None, cut: bool = False) -> int:
    """Return how many processes to start: at most one a core, one a video, and as many as there is memory for.

    A GPU is shared by all engines of a process: there it is one process.

    Args:
        videos: to segment.
        backend: that was chosen.
        cores: instead of those of this machine.
        cut: one video may keep several processes busy.

    Raises:
        OptionError, EnvironmentUnfitError: see ``engine_class``.
    """
    places = (place for video in videos for place in (video.source, *(str(target.place) for target in video.targets)))
    if shared_gpu(backend) or any(place.startswith(_ONE_PROCESS) for place in places):
        return 1
    available = host_memory().available
    cores = cores or usable_cores()
    most = min(cores, cores if cut else len(videos), available // MEMORY if available else cores)
    size = 0
    for video in videos:
        size += _size(video)
        if size >= most * BYTES:
            return max(1, most)
    return max(1, min(most, size // BYTES))


def _size(video: Video) -> int:
    """Bytes of a video; what is no file counts as long."""
    path = source_from_uri(video.source).path
    try:
        return BYTES if path is None else path.stat().st_size
    except OSError:
        return 0
