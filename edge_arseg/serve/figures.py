"""What a run is like now, for the page, its health and its metrics."""

import threading
import time
from collections import deque
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from edge_arseg.runtime.live.statistics import LiveFigures, LiveStatistics
from edge_arseg.spec.frame import Branch, SegmentedFrame

KEPT = 600
"""Results whose times are kept for viewers: twenty seconds at thirty frames a second."""

PACE_S = 2.0
"""The frames a second that are shown are those of the last two seconds."""

LIMITS_S = (0.005, 0.01, 0.02, 0.033, 0.05, 0.067, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
"""Upper ends of the bins that times are counted in, seconds."""

STALLED_S = 10.0
"""Without a result for so long a run is not healthy."""


@dataclass(slots=True)
class Bins:
    """Times, counted in bins.

    Attributes:
        counts: by ``LIMITS_S``, and one more for all that are longer.
        sum_s: of all of them.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(LIMITS_S) + 1))
    sum_s: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        place = next((i for i, limit in enumerate(LIMITS_S) if seconds <= limit), len(LIMITS_S))
        self.counts[place] += 1
        self.sum_s += seconds

    def cumulated(self) -> list[tuple[str, int]]:
        """Return the upper ends as Prometheus writes them, and how many times are no longer."""
        total, pairs = 0, []
        for limit, count in zip((*map(str, LIMITS_S), "+Inf"), self.counts, strict=True):
            total += count
            pairs.append((limit, total))
        return pairs


@dataclass(slots=True)
class Counts:
    """What was counted of all results.

    Attributes:
        latency, age: of the results.
        branches: results by branch.
        stages_s: seconds by stage, all results together.
        warp_error: of the last frame between keyframes, grey levels; ``None``: it was not measured.
    """

    latency: Bins = field(default_factory=Bins)
    age: Bins = field(default_factory=Bins)
    branches: dict[str, int] = field(default_factory=lambda: dict.fromkeys((branch.value for branch in Branch), 0))
    stages_s: dict[str, float] = field(default_factory=dict)
    warp_error: float | None = None


class Figures:
    """Counts results as they come, and says how things stand; may be asked by any thread.

    Args:
        max_age_ms: see ``LiveStatistics``.
    """

    def __init__(self, max_age_ms: float | None = None) -> None:
        self._counts = Counts()
        self._live = LiveStatistics(max_age_ms)
        self._lock = threading.Lock()
        self._rows: deque[tuple[int, list[Any]]] = deque(maxlen=KEPT)
        self._came: deque[float] = deque(maxlen=1000)
        self._serial = 0
        self._last_s: float | None = None
        self._changed_s = time.monotonic()
        self._waits: bool | None = None

    @property
    def counts(self) -> Counts:
        """What was counted so far: a copy, which stays as it is."""
        with self._lock:
            return deepcopy(self._counts)

    @property
    def live(self) -> LiveFigures:
        """What the results came to so far."""
        with self._lock:
            return self._live.figures

    def waiting(self, waits: bool) -> None:
        """Hear that the run waits for a frame of its source, or has one to work on."""
        with self._lock:
            self._waits, self._changed_s = waits, time.monotonic()

    def add(self, result: SegmentedFrame) -> int:
        """Count a result; return its number, from 1."""
        now = time.monotonic()
        age_ms = result.age_ms
        with self._lock:
            self._serial += 1
            self._live.add(result)
            counts = self._counts
            counts.latency.add(result.latency_ms / 1e3)
            if age_ms is not None:
                counts.age.add(age_ms / 1e3)
            counts.branches[result.branch.value] += 1
            for stage, ms in result.stages_ms.items():
                counts.stages_s[stage] = counts.stages_s.get(stage, 0.0) + ms / 1e3
            if result.motion is not None:
                counts.warp_error = result.motion.warp_error
            row = [
                int(result.branch is Branch.HR),
                round(result.latency_ms, 1),
                None if age_ms is None else round(age_ms, 1),
                result.dropped,
            ]
            self._rows.append((self._serial, row))
            self._came.append(now)
            self._last_s = now
            return self._serial

    def rows_after(self, serial: int) -> tuple[int, list[list[Any]]]:
        """Return the number of the last result, and what came behind another: whether it is HR, its latency and age in
        milliseconds, and the frames dropped before it."""
        with self._lock:
            missing = min(self._serial - serial, len(self._rows))
            rows = [self._rows[i][1] for i in range(len(self._rows) - missing, len(self._rows))] if missing > 0 else []
            return self._serial, rows

    def fps(self) -> float:
        """Results a second in the last seconds."""
        now = time.monotonic()
        with self._lock:
            recent = [moment for moment in self._came if now - moment <= PACE_S]
        span = now - recent[0] if recent else 0.0
        return (len(recent) - 1) / span if len(recent) > 1 and span > 0 else 0.0

    def silent_s(self) -> float | None:
        """Seconds since the last result; ``None``: there was none yet."""
        last = self._last_s
        return None if last is None else time.monotonic() - last

    def state(self) -> str:
        """``running``; ``starting`` before the first frame is asked for; ``waiting`` for the source; or ``stalled``."""
        silent = self.silent_s()
        if silent is not None and silent < STALLED_S:
            return "running"
        with self._lock:
            waits, changed_s = self._waits, self._changed_s
        if waits is None:
            return "starting"
        if waits:
            return "waiting"
        return "stalled" if time.monotonic() - changed_s >= STALLED_S else "running"
