import numpy as np
import pytest

from edge_arseg.native.table import table_of


def test_numbers_arrays_and_tuples_lie_one_after_the_other():
    flat, grid = np.zeros(5, np.float32), np.zeros((2, 3), np.uint8)
    assert table_of((7, flat, (grid, -1), 1.5)).tolist() == [
        7,
        flat.ctypes.data,
        5,
        grid.ctypes.data,
        2,
        3,
        -1,
        0x3FF8000000000000,  # 1.5 as a double
    ]


def test_a_single_precision_number_is_refused_and_not_cut_to_an_integer():
    with pytest.raises(TypeError):
        table_of((np.float32(1.5),))
