import numpy as np
import pytest

from edge_arseg.compiler.quantize.calibrate.ranges import (
    LEVELS,
    Histogram,
    Range,
    entropy_threshold,
    range_from_histogram,
)
from edge_arseg.compiler.quantize.dialects import DIALECTS
from edge_arseg.spec.recipe import CalibrationClip, Method, Recipe

CLIPS = (CalibrationClip("test://street", 1, 1),)


def range_of(values, method, percentile=None):
    histogram = Histogram()
    histogram.add(np.asarray(values, np.float32))
    return range_from_histogram(histogram, Recipe("r", method, CLIPS, percentile))


def test_minmax_is_everything_and_holds_zero():
    assert range_of([-2.0, 1.0, 7.0], Method.MINMAX) == Range(-2.0, 7.0)
    assert range_of([3.0, 7.0], Method.MINMAX) == Range(0.0, 7.0)
    assert range_of([-3.0, -1.0], Method.MINMAX) == Range(-3.0, 0.0)
    assert range_of([0.0], Method.MINMAX) == Range(0.0, 0.0)


def test_percentile_cuts_half_of_the_rest_on_each_side():
    values = np.linspace(-100.0, 100.0, 200_001)
    found = range_of(values, Method.PERCENTILE, 99.0)
    assert found.low == pytest.approx(-99.0, abs=0.1)
    assert found.high == pytest.approx(99.0, abs=0.1)
    assert range_of(values, Method.PERCENTILE, 100.0) == Range(-100.0, 100.0)


def test_percentile_ignores_one_value_in_a_million():
    values = np.append(np.random.default_rng(0).uniform(0.0, 1.0, 1_000_000), 1000.0)
    assert range_of(values, Method.PERCENTILE, 99.99).high == pytest.approx(1.0, abs=1.0)
    assert range_of(values, Method.MINMAX).high == 1000.0


def test_entropy_keeps_a_flat_distribution_whole():
    values = np.random.default_rng(0).uniform(0.0, 1.0, 1_000_000)
    assert range_of(values, Method.ENTROPY).high == pytest.approx(1.0, abs=0.02)


def test_entropy_cuts_a_long_thin_tail():
    generator = np.random.default_rng(0)
    values = np.concatenate([generator.normal(0.0, 1.0, 1_000_000), generator.uniform(-40.0, 40.0, 20)])
    found = range_of(values, Method.ENTROPY)
    assert 3.0 < found.high < 10.0
    assert found.low == -found.high


def test_entropy_of_a_rectified_tensor_has_no_negative_side():
    values = np.maximum(np.random.default_rng(0).normal(size=100_000), 0.0)
    found = range_of(values, Method.ENTROPY)
    assert found.low == 0.0
    assert 2.5 < found.high <= values.max()


def test_entropy_of_few_bins_is_all_of_them():
    counts = np.zeros(2048, np.int64)
    counts[5:LEVELS] = 3
    assert entropy_threshold(counts, 0.5) == LEVELS * 0.5
    assert entropy_threshold(np.zeros(2048, np.int64), 0.5) == 0.0


@pytest.mark.parametrize(
    ("low", "high", "activations", "scale", "zero_point"),
    [
        (0.0, 2.55, "uint8", 0.01, 0),
        (-1.0, 1.55, "uint8", 0.01, 100),
        (-2.55, 0.0, "uint8", 0.01, 255),
        (-1.27, 0.5, "int8", 0.01, 0),
        (0.0, 1.27, "int8", 0.01, 0),
        (0.0, 0.0, "int8", 1.0, 0),
        (0.0, 0.0, "uint8", 1.0, 0),
    ],
)
def test_scales_spelled_out(low, high, activations, scale, zero_point):
    assert DIALECTS[activations].scale_from_range(Range(low, high)) == (pytest.approx(scale), zero_point)
