import math

import numpy as np
import pytest
from evaluation.slow_scores import slow_confusion, slow_iou
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edge_arseg.errors import OptionError
from edge_arseg.evaluation.confusion import confusion_from_maps, iou_from_confusion, mean_iou
from edge_arseg.evaluation.labels.nearest import resized_map


@st.composite
def map_pairs(draw):
    classes = draw(st.integers(1, 20))
    shape = draw(array_shapes(min_dims=2, max_dims=2, max_side=6))
    values = st.integers(0, classes - 1)
    labels = st.one_of(values, st.integers(classes, 255))
    return draw(arrays(np.uint8, shape, elements=values)), draw(arrays(np.uint8, shape, elements=labels)), classes


@given(map_pairs())
def test_counts_as_a_slow_loop_does(pair):
    counts = confusion_from_maps(*pair)
    assert counts.dtype == np.int64
    assert np.array_equal(counts, slow_confusion(*pair))


@given(map_pairs())
def test_iou_as_a_slow_loop_does(pair):
    counts = confusion_from_maps(*pair)
    expected = [slow_iou(counts, c) for c in range(len(counts))]
    assert np.allclose(iou_from_confusion(counts), expected, equal_nan=True)
    known = [iou for iou in expected if not math.isnan(iou)]
    assert np.isclose(mean_iou(counts), np.mean(known) if known else math.nan, equal_nan=True)


def test_values_by_hand():
    labels = np.array([[0, 0, 1, 1], [2, 255, 3, 0]], np.uint8)  # 3 and 255 do not count
    predicted = np.array([[0, 1, 1, 1], [0, 2, 2, 0]], np.uint8)
    counts = confusion_from_maps(predicted, labels, 3)
    assert counts.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert iou_from_confusion(counts).tolist() == [2 / 4, 2 / 3, 0.0]
    assert mean_iou(counts) == pytest.approx((0.5 + 2 / 3) / 3)


def test_a_class_that_does_not_occur_is_left_out_of_the_mean():
    counts = confusion_from_maps(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8), 2)
    assert np.isnan(iou_from_confusion(counts)[1])
    assert mean_iou(counts) == 1.0


def test_a_class_that_is_only_predicted_counts_as_wrong():
    counts = confusion_from_maps(np.array([[0, 1]], np.uint8), np.array([[0, 0]], np.uint8), 2)
    assert iou_from_confusion(counts).tolist() == [0.5, 0.0]


def test_nothing_labelled_is_nan_without_a_warning():
    counts = confusion_from_maps(np.zeros((2, 2), np.uint8), np.full((2, 2), 255, np.uint8), 2)
    assert math.isnan(mean_iou(counts))


def test_other_shapes_and_unknown_classes_are_refused():
    with pytest.raises(OptionError, match="the same shape"):
        confusion_from_maps(np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8), 2)
    with pytest.raises(OptionError, match="class 2: expected classes below 2"):
        confusion_from_maps(np.full((2, 2), 2, np.uint8), np.zeros((2, 2), np.uint8), 2)


def test_resizing_takes_the_pixel_at_the_centre():
    small = np.array([[0, 1], [2, 3]], np.uint8)
    assert resized_map(small, 4, 4).tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    wide = np.arange(9, dtype=np.uint8)[None]
    assert resized_map(wide, 1, 3).tolist() == [[1, 4, 7]]
    assert resized_map(small, 2, 2) is small


@given(st.integers(1, 40), st.integers(1, 40))
def test_resizing_down_from_a_multiple_gives_the_original(height, factor):
    column = np.arange(height, dtype=np.uint8)[:, None]
    assert np.array_equal(resized_map(resized_map(column, height * factor, 1), height, 1), column)
