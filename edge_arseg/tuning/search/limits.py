"""What a setting has to hold, and what it came to."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from edge_arseg.tuning.search.parts import Parts


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a setting came to; each with its 95 % interval where there is one.

    Attributes:
        miou: per cent, the mean over the distances from the keyframe.
        mean_ms: of a frame, mean over a GOP.
        slow_ms: median of the frames of the slower branch: of keyframes, unless they are made in the background.
        j_per_frame: ``None``: not measured.
        parts: what the values are made of; ``None``: not known.
    """

    miou: float
    miou_low: float
    miou_high: float
    mean_ms: float
    mean_low: float
    mean_high: float
    slow_ms: float
    j_per_frame: float | None = None
    parts: Parts | None = None

    @property
    def joules(self) -> float:
        """Energy of a frame as limits see it: what was not measured holds none."""
        return math.inf if self.j_per_frame is None else self.j_per_frame

    def whole(self, frames: int) -> bool:
        """Whether mIoU is that of all labelled frames, which are so many: the setting was not given up before."""
        return self.miou == self.miou and (self.parts is None or self.parts.frames >= frames)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the setting has to hold; ``None``: no limit.

    Attributes:
        mean_ms: most time of a frame, mean over a GOP.
        slow_ms: most time of a frame of the slower branch, median.
        miou: least mIoU, per cent.
        j_per_frame: most energy of a frame.
    """

    mean_ms: float | None = None
    slow_ms: float | None = None
    miou: float | None = None
    j_per_frame: float | None = None

    def values(self, outcome: Outcome) -> tuple[float, ...]:
        """Return what the front is made of, each the smaller the better: mIoU, time, and what else has a limit."""
        more = [outcome.slow_ms] if self.slow_ms is not None else []
        more += [outcome.joules] if self.j_per_frame is not None else []
        return (-outcome.miou, outcome.mean_ms, *more)

    @property
    def bounds(self) -> tuple[float, ...]:
        """Return the limits in the form of ``values``; infinite where there is none."""
        infinite = float("inf")
        least = infinite if self.miou is None else -self.miou
        most = infinite if self.mean_ms is None else self.mean_ms
        return (least, most, *(one for one in (self.slow_ms, self.j_per_frame) if one is not None))

    def hold(self, outcome: Outcome) -> bool:
        """Whether an outcome holds them all."""
        return self.excess(outcome) <= 0

    def excess(self, outcome: Outcome) -> float:
        """Return by what share of its limit the worst one is passed; 0 or less where all hold."""
        pairs = zip(self.values(outcome), self.bounds, strict=True)
        shares = [(value - bound) / abs(bound) for value, bound in pairs if abs(bound) != float("inf") and bound]
        return max(shares, default=0.0)

    def faults(self, outcome: Outcome) -> list[str]:
        """Say which limits are passed, for people."""
        found = []
        if self.mean_ms is not None and outcome.mean_ms > self.mean_ms:
            found.append(f"{outcome.mean_ms:.1f} ms a frame, at most {self.mean_ms:g} asked for")
        if self.slow_ms is not None and outcome.slow_ms > self.slow_ms:
            found.append(f"{outcome.slow_ms:.1f} ms of the slower frames, at most {self.slow_ms:g} asked for")
        if self.miou is not None and outcome.miou < self.miou:
            found.append(f"mIoU {outcome.miou:.1f}, at least {self.miou:g} asked for")
        if self.j_per_frame is not None and outcome.joules > self.j_per_frame:
            seen = f"{outcome.joules:.3g} J a frame" if outcome.j_per_frame is not None else "energy not measured"
            found.append(f"{seen}, at most {self.j_per_frame:g} J asked for")
        return found


def front_of(values: list[tuple[float, ...]]) -> list[bool]:
    """Say of each whether no other is at least as good in everything and better in something."""
    return near_front_of(values, 0.0)


def near_front_of(values: list[tuple[float, ...]], margin: float) -> list[bool]:
    """Say of each whether it would be on the front, were all but its mIoU less by a share: timing tells no more.

    Args:
        values: see ``Limits.values``.
        margin: the share.
    """
    nearer = [(miou, *(value * (1 - margin) for value in more)) for miou, *more in values]
    return [
        not any(other != own and all(b <= a for a, b in zip(one, other, strict=True)) for other in values)
        for own, one in zip(values, nearer, strict=True)
    ]


def frames_scored(outcomes: Iterable[Outcome]) -> int:
    """Return how many labelled frames are scored of a setting that is not given up: all settings have the same."""
    return max((one.parts.frames for one in outcomes if one.parts is not None), default=0)
