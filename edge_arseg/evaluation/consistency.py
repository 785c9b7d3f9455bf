"""How steady class maps are along the motion of the picture."""

import numpy as np
from numpy.typing import NDArray

from edge_arseg.motion.blocks import CELL, blocks_from_vectors, empty_blocks


class Consistency:
    """Compares each class map with the one before it, moved by the vectors of that one step.

    A pixel ``p`` of frame ``t`` comes from the pixel ``q = p + flow(p)`` of frame ``t - 1``, where ``flow`` is the
    vector of the block that holds ``p``, rounded to whole pixels. It is *followed* where a block covers it and ``q``
    lies in the picture: holes are not filled, edges not repeated. Of the followed pixels,

    * ``agreement`` is the share whose class is that of ``q``: ``map[t](p) == map[t-1](q)``;
    * ``flicker`` is the share, of those followed over two steps ``p <- q <- r``, whose class leaves and comes back at
      once: ``map[t](p) == map[t-2](r)`` and ``map[t](p) != map[t-1](q)``.

    Neither looks at labels: a map that is steadily wrong is consistent, and real changes (an object that comes from
    behind another) count against it, for every mode alike. Compare them between modes on one clip and one source of
    motion, never between clips.

    Args:
        height: of the class maps, pixels.
        width: of the class maps, pixels.
    """

    def __init__(self, height: int, width: int) -> None:
        self._height, self._width = height, width
        self._blocks = empty_blocks(height, width)
        self._y, self._x = (axis.astype(np.int32) for axis in np.indices((height, width), sparse=True))
        self._followed = self._agreed = self._twice = self._flickered = 0
        self.start()

    def start(self) -> None:
        """Forget the last maps, not the counts: the next map is the first of a run."""
        self._last: NDArray[np.uint8] | None = None
        self._moved: tuple[np.ndarray, np.ndarray] | None = None

    def add(self, class_map: NDArray[np.uint8], vectors: NDArray[np.void] | None) -> None:
        """Take the next class map.

        Args:
            class_map: ``[H, W] uint8``; copied.
            vectors: ``[N]`` of ``VECTOR_DTYPE`` to the previous frame (``Frame.vectors``); pixels of a frame without
                vectors are not followed.
        """
        if self._last is None:
            self._last = class_map.copy()
            return
        index, followed = self._origin(vectors)
        before = self._last.reshape(-1)[index]
        same = before == class_map
        self._followed += int(np.count_nonzero(followed))
        self._agreed += int(np.count_nonzero(same & followed))
        if self._moved is not None:
            older, older_followed = (array.reshape(-1)[index] for array in self._moved)
            twice = followed & older_followed
            self._twice += int(np.count_nonzero(twice))
            self._flickered += int(np.count_nonzero(twice & ~same & (older == class_map)))
        self._moved = before, followed
        self._last = class_map.copy()

    @property
    def agreement(self) -> float:
        """Share of the followed pixels, 0 to 1; ``nan`` where none was followed."""
        return self._agreed / self._followed if self._followed else float("nan")

    @property
    def flicker(self) -> float:
        """Share of the pixels followed over two steps, 0 to 1; ``nan`` where none was."""
        return self._flickered / self._twice if self._twice else float("nan")

    def _origin(self, vectors: NDArray[np.void] | None) -> tuple[np.ndarray, np.ndarray]:
        """``[H, W]`` flat index of each pixel's origin, clipped to the picture, and whether it is followed."""
        blocks = blocks_from_vectors(vectors, self._height, self._width, out=self._blocks)
        x = self._x + _pixels(np.rint(blocks.flow.real).astype(np.int32), self._height, self._width)
        y = self._y + _pixels(np.rint(blocks.flow.imag).astype(np.int32), self._height, self._width)
        followed = _pixels(blocks.valid, self._height, self._width)
        followed &= (x >= 0) & (x < self._width) & (y >= 0) & (y < self._height)
        np.clip(x, 0, self._width - 1, out=x)
        np.clip(y, 0, self._height - 1, out=y)
        y *= self._width
        y += x
        return y, followed


def _pixels(cells: np.ndarray, height: int, width: int) -> np.ndarray:
    """Repeat cells to pixels, and cut off the margin."""
    return cells.repeat(CELL, axis=0)[:height].repeat(CELL, axis=1)[:, :width]
