import pytest

from edge_arseg.bench.samples import P99_SAMPLES, summary_of


def test_nothing_is_clipped():
    summary = summary_of([1.0] * 98 + [50.0, 100.0])
    assert summary.max == 100.0
    assert summary.mean == pytest.approx(2.48)
    assert summary.p50 == 1.0


def test_a_p99_needs_enough_samples():
    assert summary_of([1.0] * (P99_SAMPLES - 1)).p99 is None
    assert summary_of([1.0] * P99_SAMPLES).p99 == 1.0


def test_percentiles_of_a_ramp():
    summary = summary_of([float(i) for i in range(1001)])
    assert (summary.p50, summary.p90, summary.p95, summary.p99) == (500.0, 900.0, 950.0, 990.0)


def test_no_samples_are_an_error():
    with pytest.raises(ValueError, match="no samples"):
        summary_of([])
