"""Percentiles of samples: every sample counts, and a percentile that the samples cannot carry is not given."""

import math

import numpy as np
from numpy.typing import NDArray

from edge_arseg.bench.records.summary import Summary
from edge_arseg.bench.summaries.resampling import Blocks, estimate

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}
CONFIDENCE = 0.95


def samples_needed(percent: float) -> int:
    """Return how many samples bound a percentile from above at 95 % confidence: 299 for the 99th.

    With ``n`` samples the largest is below it with probability ``q ** n``.
    """
    return math.ceil(math.log(1.0 - CONFIDENCE) / math.log(percent / 100.0))


def summary_of(samples: NDArray[np.floating], blocks: Blocks) -> Summary:
    """Summarise samples.

    Args:
        samples: ``[N]`` milliseconds.
        blocks: of the same frames.

    Raises:
        ValueError: there is none.
    """
    samples = np.asarray(samples, np.float64)
    count = len(samples)
    if not count:
        raise ValueError("no samples")
    wanted = [name for name, percent in PERCENTILES.items() if count >= samples_needed(percent)]
    percents = [PERCENTILES[name] for name in wanted]

    def statistic(draw: NDArray[np.intp]) -> NDArray[np.float64]:
        drawn = samples[draw]
        return np.array([drawn.mean(), *(np.percentile(drawn, percents) if percents else ())])

    interval = blocks.intervals(statistic)
    values = dict(zip(wanted, np.percentile(samples, percents) if percents else (), strict=True))
    found = {
        name: estimate(values[name], interval, 1 + wanted.index(name)) if name in values else None
        for name in PERCENTILES
    }
    mean = float(samples.mean())
    return Summary(
        count=count,
        mean=estimate(mean, interval),
        max=float(samples.max()),
        cv=float(samples.std() / mean) if mean else 0.0,
        **found,
    )
