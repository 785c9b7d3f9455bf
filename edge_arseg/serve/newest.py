"""The newest result, encoded once for all who watch."""

import json
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.serve.figures import Figures
from edge_arseg.serve.jpeg import JpegEncoder
from edge_arseg.spec.frame import SegmentedFrame

AREAS_EVERY_S = 1.0
"""Where nobody watches, class areas are counted once a second, for the metrics."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One result as viewers get it.

    Attributes:
        serial: its number among the results, from 1.
        facts: JSON of an object, without its closing brace.
        body: the JPEG, and behind it the deflated class map.
    """

    serial: int
    facts: str
    body: bytes


class _Copy:
    """Room for what is encoded of a result."""

    def __init__(self) -> None:
        self.serial = 0
        self.facts: dict[str, Any] = {}
        self.seen = 1.0
        self.pictured = False
        self._rooms: dict[str, NDArray[np.uint8]] = {}

    def take(self, serial: int, result: SegmentedFrame, pictured: bool) -> None:
        frame, placement = result.frame, result.frame.placement
        self.serial, self.pictured = serial, pictured
        self._keep("map", result.shown_map())
        if pictured:
            self._keep("rgb", frame.rgb if frame.picture is None else frame.picture)
        place = [0.0, 0.0, 1.0, 1.0]
        self.seen = 1.0
        if placement is not None:
            self.seen = placement.seen
            if frame.picture is not None:  # the map lies on the part of the picture that the network saw
                top, left, rows, columns = placement.shown
                place = [
                    (left - placement.left) / placement.width,
                    (top - placement.top) / placement.height,
                    columns / placement.width,
                    rows / placement.height,
                ]
        age_ms = result.age_ms
        self.facts = {
            "serial": serial,
            "index": frame.index,
            "time_s": round(float(frame.time_s), 3),
            "branch": result.branch.value,
            "distance": result.distance,
            "latency_ms": round(result.latency_ms, 2),
            "age_ms": None if age_ms is None else round(age_ms, 1),
            "made_ms": 1e3 * time.time(),
            "place": [round(share, 5) for share in place],
        }

    def array(self, name: str) -> NDArray[np.uint8]:
        return self._rooms[name]

    def _keep(self, name: str, array: NDArray[np.uint8]) -> None:
        room = self._rooms.get(name)
        if room is None or room.shape != array.shape:
            room = self._rooms[name] = np.empty(array.shape, np.uint8)
        np.copyto(room, array)


class Newest:
    """Takes results, and encodes the newest in a thread, where somebody wants it.

    ``take`` copies and returns: what is encoded, and how slowly it is sent, is no matter of the run. While one is
    encoded, the next waits, and the one behind that takes its place.

    Attributes:
        areas: share of the picture by class, 0 to 1, of a result not long ago.

    Args:
        figures: where results are counted.
        wanted: whether somebody waits for a picture; may be called by any thread.
        give: called with each shot, by the thread.
    """

    def __init__(self, figures: Figures, wanted: Callable[[], bool], give: Callable[[Shot], None]) -> None:
        self.areas: list[float] = []
        self._figures, self._wanted, self._give = figures, wanted, give
        self._classes = 0
        self._news = threading.Condition()
        self._free = [_Copy(), _Copy()]
        self._waiting: _Copy | None = None
        self._ended = False
        self._counted_s = -AREAS_EVERY_S
        self._jpeg = JpegEncoder()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="page encoder", daemon=True)
        self._thread.start()

    def of_classes(self, count: int) -> None:
        """Say how many classes there are; other indices count as none."""
        self._classes, self.areas = count, []

    def take(self, result: SegmentedFrame) -> None:
        """Count a result, and have it encoded where somebody wants it."""
        serial = self._figures.add(result)
        pictured = self._wanted()
        if not pictured and time.monotonic() - self._counted_s < AREAS_EVERY_S:
            return
        with self._news:
            copy = self._waiting or (self._free.pop() if self._free else None)
            self._waiting = None
        if copy is None:
            return
        copy.take(serial, result, pictured)
        with self._news:
            self._waiting = copy
            self._news.notify()

    def close(self) -> None:
        """End the thread; calling it again does nothing."""
        with self._news:
            self._ended = True
            self._news.notify()
        self._thread.join(2.0)

    def _run(self) -> None:
        while True:
            with self._news:
                while self._waiting is None and not self._ended:
                    self._news.wait()
                if self._ended:
                    return
                copy, self._waiting = self._waiting, None
            assert copy is not None
            try:
                self._encode(copy)
            except Exception as error:  # the run continues without its page; health and the end of the run say so
                self.error = error
                return
            with self._news:
                self._free.append(copy)

    def _encode(self, copy: _Copy) -> None:
        class_map = copy.array("map")
        counts = np.bincount(class_map.ravel(), minlength=256)[: self._classes]
        self.areas = [round(float(share), 5) for share in counts * (copy.seen / class_map.size)]
        self._counted_s = time.monotonic()
        if not copy.pictured:
            return
        jpeg = self._jpeg.encode(copy.array("rgb"))
        packed = zlib.compress(class_map.data, 1)
        facts = copy.facts | {"map": list(class_map.shape), "jpeg": len(jpeg), "areas": self.areas}
        self._give(Shot(copy.serial, json.dumps(facts, separators=(",", ":"))[:-1], jpeg + packed))
