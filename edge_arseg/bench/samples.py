"""Percentiles of samples: every sample counts, and a percentile that the samples cannot support is not given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

P99_SAMPLES = 299
"""Samples for an upper bound on the 99th percentile at 95 % confidence: 0.99 ** 299 is below 0.05."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Milliseconds over a number of frames.

    Attributes:
        count: samples.
        mean, p50, p90, p95, max: of all samples; none is clipped.
        p99: ``None`` under 299 samples.
    """

    count: int
    mean: float
    p50: float
    p90: float
    p95: float
    p99: float | None
    max: float


def summary_of(samples: Sequence[float]) -> Summary:
    """Summarise samples.

    Raises:
        ValueError: there is none.
    """
    if not samples:
        raise ValueError("no samples")
    p50, p90, p95, p99 = (float(value) for value in np.percentile(samples, [50, 90, 95, 99]))
    enough = len(samples) >= P99_SAMPLES
    return Summary(len(samples), float(np.mean(samples)), p50, p90, p95, p99 if enough else None, float(max(samples)))
