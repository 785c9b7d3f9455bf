"""Sizes that the compiled fusion and the layout of its memory agree on."""

from edge_arseg.runtime.kernels.numba_fuse.registers import LANES
from edge_arseg.spec.fusion import WINDOW

REACH = WINDOW // 2
"""Pixels from the centre of the window to its edge."""
ROWS = 3
"""Output rows that are computed together."""
SEEN_ROWS = ROWS + WINDOW - 1
"""Key rows that ``ROWS`` output rows see together."""
SLOTS = ROWS + 2
"""Rows that a group of ``ROWS`` convolved rows needs."""
SOURCE_ROWS = 6
"""Source rows that one block of columns may read through ``blend_picked``; others are gathered pixel by pixel."""
PLACE_FLOATS = 2 * SOURCE_ROWS * LANES
"""Weights kept for one block: left and right neighbour for each source row."""
PLACE_INTS = LANES + 2
"""Integers kept for one block: its kind, the start of its window, and the place of every lane in that window."""
