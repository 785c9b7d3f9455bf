"""One JSON object per frame and line."""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from edge_arseg.spec.classes import ClassInfo
from edge_arseg.spec.result import SegmentedFrame
from edge_arseg.video.sinks.base import Sink, sink_errors

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
    classes        share of the pixels, 0 to 1, by class name; pixels of no class are in none
    =============  ==========================================================================================

    When the reader of the standard output goes away, the sink is ``finished`` and stays quiet.

    Args:
        target: the URI, for messages.
        path: the file, replaced if there is one; ``None`` is the standard output.
        classes: names, by index.

    Raises:
        SinkError: the file cannot be opened.
    """

    def __init__(self, target: str, path: Path | None, classes: tuple[ClassInfo, ...]) -> None:
        super().__init__(target)
        self._names = [info.name for info in classes]
        self._marks = np.zeros(_PART, np.bool_)
        self._file: TextIO | None = None
        if path is not None:
            with sink_errors(target):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = path.open("w", encoding="utf-8", buffering=1)

    def _write(self, result: SegmentedFrame) -> None:
        line = json.dumps(_object_from_result(result, self._names, self._marks), separators=(",", ":")) + "\n"
        if self._file is not None:
            self._file.write(line)
            return
        try:
            sys.stdout.write(line)
            sys.stdout.flush()
        except BrokenPipeError:
            self.finished = True
            _forget_stdout()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _abandon(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()


def _pixels_of_classes(class_map: np.ndarray, classes: int, marks: np.ndarray) -> list[int]:
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


def _object_from_result(result: SegmentedFrame, names: list[str], marks: np.ndarray) -> dict[str, Any]:
    counts = _pixels_of_classes(result.class_map, len(names), marks)
    total = max(result.class_map.size, 1)
    motion = result.motion
    return {
        "index": result.frame.index,
        "time_s": round(float(result.frame.time_s), 6),
        "branch": result.branch.value,
        "distance": result.distance,
        "latency_ms": round(float(result.latency_ms), 3),
        "motion": None if motion is None else motion.source.value,
        "intra_ratio": None if motion is None else round(float(motion.intra_ratio), 4),
        "classes": {name: round(count / total, 5) for name, count in zip(names, counts, strict=True)},
    }


def _forget_stdout() -> None:
    """Send what is still buffered nowhere: the interpreter would flush it at its end and complain once more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
