"""Class maps of frames as class maps of the pictures that the frames were made from."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.geometry.placement import NO_CLASS, Placement


def map_at_source(class_map: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
    """Return the class map of the picture, ``[H0, W0] uint8``, a new array.

    Where the frame does not show the picture it is ``NO_CLASS``, elsewhere a class of the map. See ``Enlargement``.

    Args:
        class_map: of the frame, ``[H, W] uint8``.
        placement: of the picture in the frame.

    Raises:
        ValueError: ``class_map`` has another size than the placement says.
    """
    return Enlargement(placement).enlarged(class_map, np.empty(placement.source, np.uint8))


def nearest_map(class_map: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
    """Return the class map of the picture, where each pixel takes the class that lies at its centre.

    What scores are taken from; ``map_at_source`` also rounds the corners. Arguments and errors are the same.
    """
    return _Nearest(placement).enlarged(class_map, np.empty(placement.source, np.uint8))


class Enlargement:
    """Makes the class map of a picture out of that of the frame, for one placement.

    A map that grows is first doubled, its corners rounded by ``doubled_map``; then each pixel of the picture takes the
    class that lies at its centre.

    Args:
        placement: of the picture in the frame.
    """

    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        inside = placement.on_shown()  # what lies behind bars rounds no corner
        self._grows = placement.source[0] > placement.height and placement.source[1] > placement.width
        self._nearest = _Nearest(inside.doubled() if self._grows else inside)

    def enlarged(self, class_map: NDArray[np.uint8], out: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Write the class map of the picture to ``out``, ``[H0, W0] uint8``, and return it."""
        if class_map.shape != self.placement.frame:
            raise ValueError(f"a class map of {class_map.shape}, expected {self.placement.frame}")
        top, left, height, width = self.placement.shown
        shown = class_map[top : top + height, left : left + width]
        return self._nearest.enlarged(doubled_map(shown) if self._grows else shown, out)


def doubled_map(class_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a class map with twice the rows and columns, steps of slanted borders halved; ``[2 H, 2 W] uint8``.

    The Scale2x rule, by A. Mazzoleni: where a pixel's upper and lower neighbours differ, and its left and right ones
    too, each of its four quarters takes the class of the two neighbours it touches, if they agree.
    """
    height, width = class_map.shape
    padded = np.pad(class_map, 1, mode="edge")
    up, down, left, right = padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]
    corners = np.not_equal(up, down)
    corners &= left != right
    row, column = np.divmod(np.flatnonzero(corners), width)
    doubled = np.empty((height, 2, width, 2), np.uint8)
    # Both columns of a pixel in one number: ten times as fast as a repetition.
    lines = (class_map.astype(np.uint16) * np.uint16(257)).view(np.uint8).reshape(height, width, 2)
    doubled[:, 0] = doubled[:, 1] = lines
    own = class_map[row, column]
    sides = {0: left[row, column], 1: right[row, column]}
    for lower, other in enumerate((up[row, column], down[row, column])):
        for to_right, side in sides.items():
            doubled[row, lower, column, to_right] = np.where(other == side, side, own)
    return doubled.reshape(2 * height, 2 * width)


class _Nearest:
    """Enlarges by the nearest pixel, rows and columns looked up once."""

    def __init__(self, placement: Placement) -> None:
        self._frame = placement.frame
        rows, columns = placement.rows(), placement.columns()
        self._rows, self._columns = rows.clip(0), columns.clip(0)
        self._unseen = np.flatnonzero(rows < 0), np.flatnonzero(columns < 0)

    def enlarged(self, class_map: NDArray[np.uint8], out: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if class_map.shape != self._frame:
            raise ValueError(f"a class map of {class_map.shape}, expected {self._frame}")
        # Columns first: whole rows are copied after that.
        np.take(class_map[:, self._columns], self._rows, 0, out=out, mode="clip")
        rows, columns = self._unseen
        if len(rows):
            out[rows] = NO_CLASS
        if len(columns):
            out[:, columns] = NO_CLASS
        return out


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
