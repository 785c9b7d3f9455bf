"""Block vectors for tests."""

import numpy as np
from hypothesis import strategies as st

from edge_arseg.spec.frame import VECTOR_DTYPE


def covering(height: int, width: int, flow_x: float, flow_y: float, side: int = 16) -> np.ndarray:
    """Blocks that cover the whole frame, all with the same flow."""
    return vectors(
        *(
            (x + side // 2, y + side // 2, side, side, flow_x, flow_y)
            for y in range(0, height, side)
            for x in range(0, width, side)
        )
    )


def vectors(*rows: tuple) -> np.ndarray:
    return np.array(list(rows), VECTOR_DTYPE)


def any_vectors(reach: int = 200) -> st.SearchStrategy[np.ndarray]:
    """Blocks of any size, inside the frame, across its edge and outside; quarter-pixel flow."""
    quarter = st.integers(-400, 400).map(lambda n: n / 4)
    row = st.tuples(
        st.integers(-40, reach),
        st.integers(-40, reach),
        st.sampled_from([8, 16]) | st.integers(0, 40),
        st.sampled_from([8, 16]) | st.integers(0, 40),
        quarter,
        quarter,
    )
    return st.lists(row, max_size=40).map(lambda rows: vectors(*rows))
