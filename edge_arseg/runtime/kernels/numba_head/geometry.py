"""Sizes that the compiled decoder and the layout of its memory agree on."""

from typing import NamedTuple

from edge_arseg.runtime.kernels.numba_fuse.registers import LANES, REGISTERS

CLASSES = 6 if REGISTERS == 32 else 3
"""Classes whose scores are summed together."""
VECTORS = 4
"""Registers of pixels whose scores are summed together: with ``CLASSES``, all but a few of the registers."""
TILE = VECTORS * LANES
"""Pixels whose scores are summed together."""


class Geometry(NamedTuple):
    """Sizes that the compiled code works with; ``*_at`` and ``*_step`` count elements.

    Attributes:
        channels: of the feature.
        classes: there are.
        padded_classes: that scores are made for.
        source_width: columns of the feature.
        plane: pixels of the feature, at least ``TILE``.
        height, width: of the class map.
        strip_rows: output rows of a strip.
        strips: there are.
        score_step: from one class to the next in the scores of a strip, whose first pixel is at ``TILE``.
        line_step: from one class to the next in a row of scores.
        row_taps: source rows of an output row.
        first_row: of the class map, and then of the feature too: both arrays begin with it.
        last_row: one past the last.
    """

    channels: int
    classes: int
    padded_classes: int
    source_width: int
    plane: int
    height: int
    width: int
    strip_rows: int
    strips: int
    score_step: int
    line_step: int
    row_taps: int
    first_row: int
    last_row: int
