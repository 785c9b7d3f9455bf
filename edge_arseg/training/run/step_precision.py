"""Whether the steps of a training multiply in bfloat16 or in float32: both are timed, the faster is used.

Without units for bfloat16 a CPU converts every product's operands, and a step takes ten times as long as in float32.
Which CPU gains and which loses cannot be read off its flags alone, so real steps decide.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

AUTO = "auto"
BFLOAT16, FLOAT32 = "bfloat16", "float32"
PRECISIONS = (BFLOAT16, FLOAT32)

TIMED_STEPS = 2
HOPELESS = 5.0
"""A precision whose first step takes so many times as long as the other's first step is not timed any further."""


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Seconds that a step takes in each precision, the shortest of those timed."""

    bfloat16: float
    float32: float

    @property
    def faster(self) -> str:
        """Name of the faster precision."""
        return BFLOAT16 if self.bfloat16 < self.float32 else FLOAT32

    def __str__(self) -> str:
        return f"bfloat16 {self.bfloat16:.3g} s a step, float32 {self.float32:.3g} s"


def step_times(step: Callable[[str], object], *, clock: Callable[[], float] = time.perf_counter) -> StepTimes:
    """Time steps in both precisions, in turn, each after a step that warms up.

    Args:
        step: takes one whole step in the precision that it is given.
        clock: seconds, for tests.
    """

    def timed(precision: str) -> float:
        start = clock()
        step(precision)
        return clock() - start

    first = {precision: timed(precision) for precision in reversed(PRECISIONS)}
    hopeful = [precision for precision in first if first[precision] < HOPELESS * min(first.values())]
    times = {precision: first[precision] for precision in first if precision not in hopeful}
    for _ in range(TIMED_STEPS):
        for precision in hopeful or first:
            times[precision] = min(times.get(precision, float("inf")), timed(precision))
    return StepTimes(times[BFLOAT16], times[FLOAT32])
