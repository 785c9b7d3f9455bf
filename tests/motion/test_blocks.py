import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from motion.motion_vectors import any_vectors, covering, vectors

from edge_arseg.errors import OptionError
from edge_arseg.motion import blocks_from_vectors, empty_blocks
from edge_arseg.spec.frame import VECTOR_DTYPE

both = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def slowly(rows, height, width):
    """The definition: a cell takes the vector of the last block that covers its centre."""
    shape = -(-height // 16) * 2, -(-width // 16) * 2
    flow, valid = np.zeros(shape, np.complex64), np.zeros(shape, bool)
    for cy in range(shape[0]):
        for cx in range(shape[1]):
            for x, y, w, h, flow_x, flow_y in rows.tolist():
                left, top = x - w // 2, y - h // 2
                if left <= 8 * cx + 4 < left + w and top <= 8 * cy + 4 < top + h:
                    flow[cy, cx], valid[cy, cx] = complex(flow_x, flow_y), True
    return flow, valid


@both
@given(any_vectors(), st.integers(1, 130), st.integers(1, 130))
def test_is_what_the_definition_says(rows, height, width):
    flow, valid = slowly(rows, height, width)
    blocks = blocks_from_vectors(rows, height, width)
    np.testing.assert_array_equal(blocks.valid, valid)
    np.testing.assert_array_equal(blocks.flow, flow)


def test_the_last_block_wins_off_the_grid_too():
    """The second block's first cell is the first block's second."""
    blocks = blocks_from_vectors(vectors((4, 29, 16, 15, 0, 1), (4, 33, 16, 8, 0, 2)), 33, 8)
    assert blocks.flow[3:5, 0].tolist() == [1j, 2j]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ((16, 16, 16, 16, 1, 2), [(1, 1), (1, 2), (2, 1), (2, 2)]),
        ((8, 4, 16, 8, 1, 2), [(0, 0), (0, 1)]),
        ((4, 8, 8, 16, 1, 2), [(0, 0), (1, 0)]),
        ((12, 20, 8, 8, 1, 2), [(2, 1)]),
    ],
)
def test_coded_block_sizes(row, cells):
    blocks = blocks_from_vectors(vectors(row), 32, 32)
    assert sorted(map(tuple, np.argwhere(blocks.valid).tolist())) == cells
    assert {blocks.flow[cell] for cell in cells} == {1 + 2j}


def test_the_grid_covers_whole_macroblocks():
    assert blocks_from_vectors(None, 722, 962).flow.shape == (92, 122)


def test_blocks_outside_the_frame_are_clipped():
    rows = vectors((-100, 8, 16, 16, 1, 1), (500, 8, 16, 16, 1, 1), (8, -50, 16, 16, 1, 1), (8, 90, 16, 16, 1, 1))
    assert not blocks_from_vectors(rows, 32, 32).valid.any()
    edge = blocks_from_vectors(vectors((0, 0, 16, 16, 3, 0)), 32, 32)
    assert np.argwhere(edge.valid).tolist() == [[0, 0]]


@pytest.mark.parametrize("nothing", [None, np.empty(0, VECTOR_DTYPE)])
def test_no_vectors_is_nothing_valid(nothing):
    blocks = blocks_from_vectors(nothing, 48, 64)
    assert not blocks.valid.any()
    assert not blocks.flow.any()


def test_a_reused_result_forgets_the_old_one():
    out = empty_blocks(32, 32)
    assert blocks_from_vectors(covering(32, 32, 5, 5), 32, 32, out=out) is out
    assert blocks_from_vectors(vectors((8, 8, 16, 16, 1, 0)), 32, 32, out=out).valid.sum() == 4
    assert out.flow.sum() == 4


def test_a_result_for_another_size_is_refused():
    with pytest.raises(OptionError, match="a 64x64 frame needs"):
        blocks_from_vectors(None, 64, 64, out=empty_blocks(32, 32))
    with pytest.raises(OptionError, match="at least 1x1"):
        blocks_from_vectors(None, 0, 64)


@pytest.mark.parametrize(
    ("wrong", "seen"),
    [
        (np.zeros((1, 3), VECTOR_DTYPE), r"\[1, 3\]"),  # compiled loops took its address and first side for all
        (np.zeros((), VECTOR_DTYPE), r"\[\]"),
        (np.zeros((3, 6), np.float32), r"float32\[3, 6\]"),
        (np.zeros((32, 32, 2), np.float32), r"float32\[32, 32, 2\]"),
        (np.zeros(2, [(name, "<f8") for name in reversed(VECTOR_DTYPE.names)]), r"\[2\]"),  # by place, not by name
        ([(8, 8, 16, 16, 1, 0)], "list"),
    ],
)
def test_vectors_of_another_type_or_shape_are_refused(wrong, seen):
    with pytest.raises(
        OptionError, match=rf"motion vectors: .*{seen} seen, expected an array \[N\] of .*flow_y float32"
    ):
        blocks_from_vectors(wrong, 32, 32)


@pytest.mark.parametrize("length", [np.nan, np.inf, -np.inf, 3e38, -3e9])
def test_vectors_that_lead_nowhere_are_refused(length):
    with pytest.raises(OptionError, match=r"a motion vector of .* pixels seen, expected numbers of at most 2147483648"):
        blocks_from_vectors(vectors((8, 8, 16, 16, 1, length)), 32, 32)


def test_the_longest_vectors_that_decoders_can_give_are_taken():
    assert blocks_from_vectors(vectors((8, 8, 16, 16, 2.0**31, -(2.0**31))), 32, 32).flow[0, 0] == 2**31 * (1 - 1j)
