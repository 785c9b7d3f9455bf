"""Sizes: of what is decoded, and those that compiled code and the layout of its memory agree on."""

from dataclasses import dataclass
from typing import NamedTuple

from edge_arseg.runtime.kernels.numba.registers import LANES, REGISTERS

Size = tuple[int, int]

CLASSES = 6 if REGISTERS == 32 else 3
"""Classes whose scores are summed together."""
VECTORS = 4
"""Registers of pixels whose scores are summed together: with ``CLASSES``, all but a few of the registers."""
TILE = VECTORS * LANES
"""Pixels whose scores are summed together."""


@dataclass(frozen=True, slots=True)
class DecodeShapes:
    """Sizes of one head, rows before columns.

    Scores are made at the feature's size. With ``upscale`` they grow by that factor, with half-pixel centres; without,
    they go to ``image``, where one is given. From there they go to the frame. Both of the latter with aligned corners,
    and only where sizes differ.

    Attributes:
        channels: of the feature.
        feature: size of the feature.
        frame: size of the class map.
        upscale: factor of the head, 1 for none.
        image: size of the image that the branch saw; ``None`` for a fused feature.
    """

    channels: int
    feature: Size
    frame: Size
    upscale: int = 1
    image: Size | None = None

    def resizes(self, axis: int) -> list[tuple[int, bool]]:
        """Return what happens along an axis (0 rows, 1 columns), in order: target length, and whether corners align."""
        steps = []
        if self.upscale != 1:
            steps.append((self.upscale * self.feature[axis], False))
        elif self.image is not None:
            steps.append((self.image[axis], True))
        return [*steps, (self.frame[axis], True)]


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
