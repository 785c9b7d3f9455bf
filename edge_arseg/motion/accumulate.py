"""Flow from the current frame back to a keyframe, built up step by step."""

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import OptionError
from edge_arseg.motion.blocks import CELL, blocks_from_vectors, empty_blocks, first_cell
from edge_arseg.motion.compose import Composer
from edge_arseg.motion.fill import fill_blocks
from edge_arseg.spec.frame import Frame, MotionField, MotionSource

BLOCKS = (2, 4, 8)
"""Sides of a flow cell that can be chosen, luma pixels. 4 is the default; 2 is a little better and twice as slow."""


class Accumulator:
    """Chains the vectors of consecutive frames into one backward flow to a keyframe.

    ``F_t(p) = mv_t(p) + F_{t-1}(p + mv_t(p))``, where ``mv_t`` is the block flow of frame ``t`` (constant in a block,
    holes filled from their neighbours) and ``F_{t-1}`` is sampled bilinearly, its edge repeated outwards.
    Any frame can be the keyframe: ``reset()`` makes it the one that was followed last.

    All arrays of the size of a frame are made here once and reused.

    Args:
        height: of the frame, luma pixels.
        width: of the frame, luma pixels.
        block: side of a flow cell, one of ``BLOCKS``.

    Raises:
        OptionError: the size is below 1x1, or ``block`` is not in ``BLOCKS``.
    """

    def __init__(self, height: int, width: int, *, block: int = 4) -> None:
        if block not in BLOCKS:
            raise OptionError(f"flow cells of {block} pixels: expected one of {', '.join(map(str, BLOCKS))}")
        self.height, self.width, self.block = height, width, block
        self._blocks = empty_blocks(height, width)
        rows, columns = self._blocks.flow.shape
        repeat = CELL // block
        shape = rows * repeat, columns * repeat
        self._now, self._before = np.zeros(shape, np.complex64), np.zeros(shape, np.complex64)
        self._composer = Composer(rows, columns, repeat, block)
        self._cropped = slice(0, -(-height // block)), slice(0, -(-width // block))
        self.intra_ratio = 0.0

    def reset(self) -> None:
        """Make the frame that was followed last the keyframe: the flow becomes zero."""
        self._now.fill(0)
        self.intra_ratio = 0.0

    def step(self, vectors: NDArray[np.void] | None, shown: tuple[int, int, int, int] | None = None) -> float:
        """Go one frame on.

        Args:
            vectors: ``[N]`` of ``VECTOR_DTYPE`` to the previous frame. ``None`` or empty: unknown, taken as no motion.
            shown: first row, first column, rows and columns of the part of the frame that is no bar; ``None``: all.

        Returns:
            The share of the part that is no bar, 0 to 1, that no vector covers; 1.0 means that the chain is broken
            here.
        """
        blocks = blocks_from_vectors(vectors, self.height, self.width, out=self._blocks)
        size = self.height, self.width
        valid = blocks.valid[_cells_of(shown or (0, 0, *size), size)]
        ratio = 1.0 - float(np.count_nonzero(valid)) / valid.size
        fill_blocks(blocks)
        self._now, self._before = self._before, self._now
        self._composer.compose(blocks.flow, self._before, out=self._now)
        self.intra_ratio = ratio
        return ratio

    def follow(self, frame: Frame) -> MotionField:
        """Continue to ``frame``, through the frames dropped just before it.

        The ``intra_ratio`` of the result is the largest of the steps taken: one broken step breaks the chain.
        """
        shown = None if frame.placement is None else frame.placement.shown
        ratio = max([self.step(vectors, shown) for vectors in frame.missed], default=0.0)
        self.intra_ratio = max(ratio, self.step(frame.vectors, shown))
        return self.field(frame.source)

    def field(self, source: MotionSource) -> MotionField:
        """The flow to the keyframe as it is now.

        Its array is a view of a buffer of this object: it stays as it is during the next step, and is overwritten by
        the one after or by ``reset``. Copy it to keep it longer.
        """
        flow = self._now.view(np.float32).reshape(*self._now.shape, 2)
        return MotionField(flow[self._cropped], self.block, source, self.intra_ratio)


def _cells_of(part: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[slice, ...]:
    """The cells of a part of the frame, at least one each way.

    They are those whose centres lie in it; of a part that reaches the end of the frame, also the last one.

    Args:
        part: first row, first column, rows and columns, pixels.
        size: rows and columns of the frame, pixels.
    """
    cells = []
    for start, length, whole in zip(part[:2], part[2:], size, strict=True):
        count = -(-whole // CELL)
        first = min(first_cell(start), count - 1)
        last = count if start + length >= whole else first_cell(start + length)
        cells.append(slice(first, max(last, first + 1)))
    return tuple(cells)
