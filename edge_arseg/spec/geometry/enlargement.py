"""Class maps of frames as class maps of the pictures that the frames were made from."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.geometry.placement import NO_CLASS, Placement


def map_at_source(
    class_map: NDArray[np.uint8], placement: Placement, out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Return the class map of the picture, ``[H0, W0] uint8``.

    Each pixel takes the class that lies at its centre, so no class is invented. Where the frame does not show the
    picture it is ``NO_CLASS``.

    Args:
        class_map: of the frame, ``[H, W] uint8``.
        placement: of the picture in the frame.
        out: ``[H0, W0] uint8``, overwritten and returned; ``None``: a new array.

    Raises:
        ValueError: ``class_map`` or ``out`` has another size than the placement says.
    """
    return Enlargement(placement).enlarged(class_map, out)


class Enlargement:
    """Enlarges the class maps of one placement; see ``map_at_source``.

    Args:
        placement: of the picture in the frame.
    """

    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        rows, columns = placement.rows(), placement.columns()
        self._rows, self._columns = rows.clip(0), columns.clip(0)
        self._unseen = [np.flatnonzero(rows < 0), np.flatnonzero(columns < 0)]

    def enlarged(self, class_map: NDArray[np.uint8], out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
        """Return the class map of the picture; see ``map_at_source``."""
        placement = self.placement
        if class_map.shape != placement.frame or (out is not None and out.shape != placement.source):
            seen = class_map.shape, None if out is None else out.shape
            raise ValueError(f"class map and out are {seen}, expected {placement.frame} and {placement.source}")
        # Columns first: whole rows are copied after that.
        made = np.take(np.take(class_map, self._columns, 1), self._rows, 0, out=out, mode="clip")
        rows, columns = self._unseen
        if len(rows):
            made[rows] = NO_CLASS
        if len(columns):
            made[:, columns] = NO_CLASS
        return made


class Enlarger:
    """Enlarges the class maps of one source's frames, each at most once, into one array that is used again."""

    def __init__(self) -> None:
        self._enlargement: Enlargement | None = None
        self._room = np.empty((0, 0), np.uint8)

    def later(self, class_map: NDArray[np.uint8], placement: Placement | None) -> Callable[[], NDArray[np.uint8]]:
        """Return what gives the class map at the source's size: done when it is called first, before the next frame."""
        made: NDArray[np.uint8] | None = None

        def at_source() -> NDArray[np.uint8]:
            nonlocal made
            if made is None:
                made = class_map if placement is None or placement.same else self._enlarged(class_map, placement)
            return made

        return at_source

    def _enlarged(self, class_map: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
        if self._enlargement is None or self._enlargement.placement != placement:
            self._enlargement, self._room = Enlargement(placement), np.empty(placement.source, np.uint8)
        return self._enlargement.enlarged(class_map, self._room)
