"""One JSON object per frame and line."""

import errno
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.model import ClassInfo
from edge_arseg.storage.standard_output import STDOUT, descriptor_of_stdout, forget_stdout
from edge_arseg.video.sinks.base import Sink, sink_errors
from edge_arseg.video.sinks.output import Output

_PART = 1 << 17
"""Pixels that are compared at once: few enough to stay in a core's cache with their marks."""


class LinesSink(Sink):
    """Writes one JSON object per frame, each line at once, so that another program can follow.

    =============  ==========================================================================================
    index          number of the frame in its source, from 0
    time_s         presentation time in seconds
    branch         ``hr`` or ``lr``
    distance       frames since the keyframe
    latency_ms     from the decoded frame to its class map
    motion         where the vectors came from: ``codec``, ``recode``, ``zero``; ``null`` on a keyframe
    intra_ratio    share of the frame without a vector in the last step, 0 to 1; ``null`` on a keyframe
    warp_error     mean difference between the frame and the keyframe moved to it, in grey levels, 0 to 255; ``null`` on
                   a keyframe
    age_ms         from the arrival of a live frame to its class map; ``null`` where frames do not arrive by themselves
    dropped        frames dropped just before this one
    size           rows and columns of the output: of the source's picture, or as asked for; what masks have
    model_size     rows and columns of the frame that the network saw
    classes        share of the output's pixels, 0 to 1, by class name; pixels of no class, and those that the network
                   did not see, are in none. Counted on the frame that the network saw, without its bars
    =============  ==========================================================================================

    When the reader of a pipe goes away, the sink is ``finished`` and stays quiet.

    Args:
        target: the URI, for messages.
        path: the file, see ``NewFile``; ``None`` is the standard output.
        classes: names, by index.
        descriptor: an open file to write to instead of ``path``, such as 3 for ``/dev/fd/3``; 1 is the standard output.
        force: a file that is there may be replaced.

    Raises:
        SinkError: the file cannot be opened, or is there already.
    """

    def __init__(
        self,
        target: str,
        path: Path | None,
        classes: tuple[ClassInfo, ...],
        *,
        descriptor: int | None = None,
        force: bool = False,
    ) -> None:
        super().__init__(target)
        self._names = [info.name for info in classes]
        self._marks = np.zeros(_PART, np.bool_)
        self._output: Output | None = None
        with sink_errors(target):
            if path is None and descriptor in (None, STDOUT):
                descriptor = descriptor_of_stdout()
            if path is not None or descriptor is not None:
                self._output = Output(target, path, descriptor=descriptor, force=force)
            elif sys.stdout is None:
                raise OSError(errno.EBADF, "the standard output is closed")

    def _write(self, result: SegmentedFrame) -> None:
        line = json.dumps(object_from_result(result, self._names, self._marks), separators=(",", ":")) + "\n"
        try:
            if self._output is not None:
                self._output.write(line.encode())
            else:
                sys.stdout.write(line)
                sys.stdout.flush()
        except OSError as error:
            if self._output is None:
                forget_stdout()
            if not isinstance(error, BrokenPipeError):
                raise
            self.finished = True

    def _close(self) -> None:
        if self._output is not None:
            self._output.close()

    def _abandon(self) -> None:
        with suppress(OSError):
            self._close()


def pixels_of_classes(class_map: NDArray[np.uint8], classes: int, marks: NDArray[np.bool_]) -> list[int]:
    """Count the pixels of each of the first ``classes`` classes, without an array of the map's size.

    ``np.bincount`` would copy the map to int64 first, eight times its size.
    """
    counts = [0] * classes
    pixels = class_map.reshape(-1)
    for start in range(0, pixels.size, len(marks)):
        part = pixels[start : start + len(marks)]
        equal = marks[: part.size]
        left = part.size
        for index in range(classes):
            if not left:
                break
            np.equal(part, np.uint8(index), out=equal)
            here = int(np.count_nonzero(equal))
            counts[index] += here
            left -= here
    return counts


def object_from_result(
    result: SegmentedFrame, names: Sequence[str], marks: NDArray[np.bool_] | None = None
) -> dict[str, Any]:
    """Return what a line says of a result; see ``LinesSink``.

    Args:
        result: the result.
        names: of the classes, by index.
        marks: room that is used again, one mark for each of some pixels; ``None``: new room.
    """
    marks = np.zeros(_PART, np.bool_) if marks is None else marks
    class_map, placement = result.shown_map(), result.frame.placement
    model_size = result.class_map.shape
    size, seen = (model_size, 1.0) if placement is None else (placement.source, placement.seen)
    counts = pixels_of_classes(class_map, len(names), marks)
    total = max(class_map.size, 1)
    motion = result.motion
    return {
        "index": int(result.frame.index),
        "time_s": round(float(result.frame.time_s), 6),
        "branch": result.branch.value,
        "distance": int(result.distance),
        "latency_ms": round(float(result.latency_ms), 3),
        "motion": None if motion is None else motion.source.value,
        "intra_ratio": None if motion is None else round(float(motion.intra_ratio), 4),
        "warp_error": None if motion is None or motion.warp_error is None else round(float(motion.warp_error), 3),
        "age_ms": None if result.age_ms is None else round(float(result.age_ms), 3),
        "dropped": int(result.dropped),
        "size": list(size),
        "model_size": list(model_size),
        "classes": {name: round(seen * count / total, 5) for name, count in zip(names, counts, strict=True)},
    }
