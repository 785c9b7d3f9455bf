import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_arseg.compiler.quantize.calibrate import ranges as module
from edge_arseg.compiler.quantize.calibrate.ranges import HALF, Histogram, magnitudes, quantile

FLOATS = st.floats(-1e6, 1e6, width=32)
VALUES = arrays.arrays(np.float32, st.integers(1, 60), elements=FLOATS)


def filled(*parts):
    histogram = Histogram()
    for part in parts:
        histogram.add(np.asarray(part, np.float32))
    return histogram


def test_bins_spelled_out():
    histogram = filled([0.0, 0.5, 1.0, -1.0])
    assert histogram.width == 1.0 / HALF == 2.0**-11
    (seen,) = np.nonzero(histogram.counts)
    assert seen.tolist() == [0, HALF, HALF + HALF // 2, 2 * HALF - 1]  # 1.0 is the upper edge of the last bin
    assert (histogram.lowest, histogram.highest, histogram.total) == (-1.0, 1.0, 4)


def test_bins_double_until_a_larger_value_fits():
    histogram = filled([1.0], [5.0])
    assert histogram.width == 8.0 / HALF
    (seen,) = np.nonzero(histogram.counts)
    # 1.0 was the upper edge of the first range and so in its last bin; 5.0 starts a bin.
    assert (seen - HALF).tolist() == [HALF // 8 - 1, 5 * HALF // 8]


@settings(max_examples=40)
@given(st.lists(VALUES, min_size=1, max_size=5), st.randoms())
def test_the_order_of_the_frames_does_not_matter_beyond_one_bin(parts, random):
    one, other = filled(*parts), list(parts)
    random.shuffle(other)
    other = filled(*other)
    assert (one.width, one.lowest, one.highest, one.total) == (other.width, other.lowest, other.highest, other.total)
    # A value on the very edge of the range counts to the bin below it, before bins are merged or after.
    assert np.abs(np.cumsum(one.counts) - np.cumsum(other.counts)).max() <= len(parts) * 2


@settings(max_examples=40)
@given(VALUES, st.floats(0.0, 1.0))
def test_quantiles_are_numpys_to_within_a_bin(values, share):
    histogram = filled(values)
    low = np.quantile(values.astype(np.float64), share, method="lower")
    high = np.quantile(values.astype(np.float64), share, method="higher")
    edge = 1.0 / values.size  # where the two count differently, by one value at most
    low = min(low, np.quantile(values.astype(np.float64), max(share - edge, 0.0), method="lower"))
    high = max(high, np.quantile(values.astype(np.float64), min(share + edge, 1.0), method="higher"))
    assert low - histogram.width <= quantile(histogram, share) <= high + histogram.width


def test_many_quantiles_of_a_known_distribution():
    values = np.random.default_rng(0).normal(1.0, 3.0, 100_000).astype(np.float32)
    histogram = filled(*np.array_split(values, 7))
    for share in (0.0005, 0.01, 0.5, 0.99, 0.9995):
        assert quantile(histogram, share) == pytest.approx(np.quantile(values, share), abs=histogram.width)


def test_chunks_change_nothing(monkeypatch):
    values = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    whole = filled(values)
    monkeypatch.setattr(module, "CHUNK", 7)
    assert np.array_equal(filled(values).counts, whole.counts)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_and_not_counted(bad):
    histogram = filled([1.0])
    with pytest.raises(ValueError, match="not finite"):
        histogram.add(np.array([0.5, bad], np.float32))
    assert (histogram.total, histogram.highest) == (1, 1.0)


def test_nothing_and_zeros():
    histogram = filled([], [0.0, 0.0])
    assert (histogram.total, histogram.width, histogram.lowest, histogram.highest) == (2, 0.0, 0.0, 0.0)
    histogram.add(np.array([3.0], np.float32))
    assert histogram.total == 3
    assert histogram.counts[HALF] == 2


def test_half_precision_values_are_taken():
    histogram = Histogram()
    histogram.add(np.array([60000.0], np.float16))
    assert histogram.highest == 60000.0


def test_what_is_kept_does_not_grow():
    histogram, generator = Histogram(), np.random.default_rng(2)
    for power in range(20):
        histogram.add(generator.normal(0.0, 2.0**power, 5000).astype(np.float32))
        assert histogram.counts.nbytes == 2 * HALF * 8
    assert histogram.total == 100_000
    assert magnitudes(histogram).sum() == 100_000
