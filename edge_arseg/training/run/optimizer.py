"""Learning rates over a run."""

import math


def learning_rate(step: int, *, steps: int, peak: float, warmup: int) -> float:
    """Rate of a step: a linear rise over ``warmup`` steps, then half a cosine down to 0 (Loshchilov, Hutter 2017).

    Args:
        step: counts from 0.
        steps: of the whole run.
        peak: the largest rate.
        warmup: steps of the rise.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1.0 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
