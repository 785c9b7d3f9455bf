"""What a setting has to hold."""

from dataclasses import dataclass

from edge_arseg.tuning.search.outcome import Outcome


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
