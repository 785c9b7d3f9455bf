"""How few layers have to stay in float for the accuracy to hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trial:
    """One measurement of the search.

    Attributes:
        kept: layers in float.
        drop: points of mIoU below float32, per cent.
    """

    kept: int
    drop: float


def layers_to_keep(count: int, drop: Callable[[int], float], max_drop: float) -> tuple[int | None, list[Trial]]:
    """Find how many of the most sensitive layers have to stay in float.

    Tries 0, 1, 2, 4, ... up to all, then halves the gap between the last that failed and the first that held. mIoU is
    not quite monotonous in the number of layers, so what comes out holds, but a smaller number might too.

    Args:
        count: of layers.
        drop: measures what is lost with so many of them in float, points of mIoU.
        max_drop: what may be lost.

    Returns:
        The number, ``None`` where not even all of them help, and what was measured on the way.
    """
    trials: list[Trial] = []

    def holds(kept: int) -> bool:
        trials.append(Trial(kept, drop(kept)))
        return trials[-1].drop <= max_drop

    failed = -1
    for kept in _steps(count):
        if holds(kept):
            break
        failed = kept
    else:
        return None, trials
    while kept - failed > 1:
        middle = (kept + failed) // 2
        if holds(middle):
            kept = middle
        else:
            failed = middle
    return kept, trials


def _steps(count: int) -> Sequence[int]:
    powers = [1 << power for power in range(count.bit_length()) if 1 << power < count]
    return list(dict.fromkeys([0, *powers, count]))
