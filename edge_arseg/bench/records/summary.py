"""Percentiles of samples as a record holds them: each with its interval, or none."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number that was estimated from samples.

    Attributes:
        value: of all samples, none clipped; percentiles as ``numpy.percentile`` gives them (linear).
        low, high: the 95 % interval, by resampling whole GOPs; ``None`` where there were fewer than two GOPs.
    """

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """Milliseconds over a number of frames.

    A percentile is ``None`` where the samples cannot carry it: an upper bound on the q-th percentile at 95 % confidence
    needs ``log 0.05 / log q`` samples (p50 5, p90 29, p95 59, p99 299, p99.9 2995).

    Attributes:
        count: samples.
        mean: of all samples.
        p50, p90, p95, p99, p999: percentiles.
        max: the largest sample.
        cv: standard deviation over mean.
    """

    count: int
    mean: Estimate
    p50: Estimate | None
    p90: Estimate | None
    p95: Estimate | None
    p99: Estimate | None
    p999: Estimate | None
    max: float
    cv: float
