"""How late the results of a run were, and what was dropped: plain values, in memory that does not grow."""

import math
from dataclasses import dataclass

from edge_arseg.spec.frame import Branch, SegmentedFrame

_EXACT_MS = 2000
"""Ages are counted by the millisecond, up to two seconds; beyond, in steps of a hundredth up to ``_OLDEST_MS``."""

_STEP = 1.01
_OLDEST_MS = 7 * 86_400_000
"""What is older than a week counts as a week."""

_STEPS = math.ceil(math.log(_OLDEST_MS / _EXACT_MS, _STEP))


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """What a run came to so far.

    Attributes:
        frames: results.
        keyframes: that results were made from, those that are made in the background too: every frame in mode ``hr``,
            none in mode ``lr``.
        dropped: frames without a result.
        late: results older than the greatest age; 0 where none was asked for.
        age_ms_p50, age_ms_p95: median and 95th percentile of the results' ages, milliseconds, rounded down: to
            whole ones up to two seconds, beyond to a hundredth of it; ``None``: no result has an age.
        warp_error: mean of the frames between keyframes; ``None``: of none.
    """

    frames: int
    keyframes: int
    dropped: int
    late: int
    age_ms_p50: float | None
    age_ms_p95: float | None
    warp_error: float | None

    def words(self) -> str:
        """What belongs in a line on the run: drops, ages, misses; empty where the source is not live."""
        if self.age_ms_p50 is None:
            return ""
        parts = [f"{self.dropped} dropped", f"age {self.age_ms_p50:.0f} ms, p95 {self.age_ms_p95:.0f} ms"]
        return ", ".join(parts + ([f"{self.late} too late"] if self.late else []))


class KeyframeCount:
    """Counts the keyframes that results were made from; see ``LiveFigures.keyframes``.

    Attributes:
        count: so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._key_index: int | None = None

    def add(self, result: SegmentedFrame) -> None:
        """Hear of a result."""
        key_index = result.frame.index - result.distance
        beside = result.distance > 0 and key_index != self._key_index  # its own result came from the keyframe before
        self.count += result.branch is Branch.HR or beside
        self._key_index = key_index


class LiveStatistics:
    """Counts results as they come.

    Args:
        max_age_ms: results that are older are counted as late; ``None``: none is.
    """

    def __init__(self, max_age_ms: float | None = None) -> None:
        self._max_age_ms = max_age_ms
        self._ages = [0] * (_EXACT_MS + _STEPS)
        self._frames = self._dropped = self._late = self._errors = 0
        self._error = 0.0
        self._keyframes = KeyframeCount()

    def add(self, result: SegmentedFrame) -> None:
        """Count a result; nothing of it is kept."""
        self._frames += 1
        self._dropped += result.dropped
        self._keyframes.add(result)
        if result.age_ms is not None:
            self._ages[_bin_of(result.age_ms)] += 1
            self._late += self._max_age_ms is not None and result.age_ms > self._max_age_ms
        if result.motion is not None and result.motion.warp_error is not None:
            self._errors += 1
            self._error += result.motion.warp_error

    @property
    def figures(self) -> LiveFigures:
        """What they come to."""
        return LiveFigures(
            frames=self._frames,
            keyframes=self._keyframes.count,
            dropped=self._dropped,
            late=self._late,
            age_ms_p50=self._percentile(0.5),
            age_ms_p95=self._percentile(0.95),
            warp_error=self._error / self._errors if self._errors else None,
        )

    def _percentile(self, share: float) -> float | None:
        wanted, seen = share * sum(self._ages), 0
        for age, count in enumerate(self._ages):
            seen += count
            if count and seen >= wanted:
                return float(age) if age < _EXACT_MS else float(int(_EXACT_MS * _STEP ** (age - _EXACT_MS)))
        return None


def _bin_of(age_ms: float) -> int:
    if age_ms < _EXACT_MS:
        return max(int(age_ms), 0)
    return _EXACT_MS + int(math.log(min(age_ms, _OLDEST_MS) / _EXACT_MS, _STEP))
