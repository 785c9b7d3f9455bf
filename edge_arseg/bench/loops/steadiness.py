"""When a warm-up is over: times do not change any more."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import median

FRAMES = 20
SECONDS = 3
WITHIN = 0.03


@dataclass(frozen=True, slots=True)
class WarmUpLimit:
    """How long a warm-up may take: it ends there whether times are steady or not, and says so.

    Attributes:
        seconds: at most.
        frames: at most; ``None``: any number.
    """

    seconds: float
    frames: int | None = None


class Steadiness:
    """Watches frame times: steady once every branch ran 20 times and its last three one-second medians agree in 3 %.

    Args:
        branches: that will run.
    """

    def __init__(self, branches: tuple[str, ...]) -> None:
        self._counts = dict.fromkeys(branches, 0)
        self._seconds: dict[str, dict[int, list[float]]] = {branch: defaultdict(list) for branch in branches}

    def add(self, branch: str, second: float, ms: float) -> None:
        """Take a frame, and when it ended."""
        self._counts[branch] += 1
        self._seconds[branch][int(second)].append(ms)

    @property
    def steady(self) -> bool:
        """Whether it is; the present second does not count."""
        if min(self._counts.values()) < FRAMES:
            return False
        return all(self._agree(seconds) for seconds in self._seconds.values())

    def _agree(self, seconds: dict[int, list[float]]) -> bool:
        whole = sorted(seconds)[:-1][-SECONDS:]
        if len(whole) < SECONDS:
            return False
        medians = [median(seconds[second]) for second in whole]
        return max(medians) <= (1 + WITHIN) * min(medians)
