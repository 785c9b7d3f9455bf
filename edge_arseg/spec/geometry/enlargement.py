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

    Each pixel of the picture takes the class that lies at its centre. Where the map grows, the corners of its pixels
    are rounded then, as ``corner_quarters`` says: the same as enlarging a map that was doubled by that rule, but only
    what differs is written. ``benchmarks/geometry.py`` compares this with other ways.

    Args:
        placement: of the picture in the frame.
    """

    def __init__(self, placement: Placement) -> None:
        self.placement = placement
        inside = placement.on_shown()  # what lies behind bars rounds no corner
        self._nearest = _Nearest(inside)
        self._grows = placement.source[0] > placement.height and placement.source[1] > placement.width
        doubled = inside.doubled()
        self._rows = _spans(doubled.rows(), doubled.frame[0])
        self._columns = _spans(doubled.columns(), doubled.frame[1])

    def enlarged(self, class_map: NDArray[np.uint8], out: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Write the class map of the picture to ``out``, ``[H0, W0] uint8``, contiguous, and return it."""
        if class_map.shape != self.placement.frame:
            raise ValueError(f"a class map of {class_map.shape}, expected {self.placement.frame}")
        top, left, height, width = self.placement.shown
        shown = class_map[top : top + height, left : left + width]
        self._nearest.enlarged(shown, out)
        if self._grows:
            self._round(shown, out)
        return out

    def _round(self, shown: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        row, column, index = corner_quarters(shown)
        (first_rows, rows), (first_columns, columns) = self._rows, self._columns
        start = first_rows[row] * out.shape[1] + first_columns[column]
        high, wide, flat = rows[row], columns[column], out.reshape(-1)
        for y in range(int(high.max(initial=0))):
            for x in range(int(wide.max(initial=0))):
                here = (y < high) & (x < wide)
                flat[start[here] + (y * out.shape[1] + x)] = index[here]


def corner_quarters(
    class_map: NDArray[np.uint8],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.uint8]]:
    """Return the quarters of pixels that take a neighbour's class, so that steps of slanted borders are halved.

    The Scale2x rule, by A. Mazzoleni: where a pixel's upper and lower neighbours differ, and its left and right ones
    too, each of its four quarters takes the class of the two neighbours it touches, if they agree.

    Returns:
        Rows and columns in a map of twice the rows and columns, and the class of each: ``[N]``, ``[N]``, ``[N] uint8``.
    """
    width = class_map.shape[1]
    padded = np.pad(class_map, 1, mode="edge")
    up, down, left, right = padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]
    corners = np.not_equal(up, down)
    corners &= left != right
    row, column = np.divmod(np.flatnonzero(corners), width)
    own = class_map[row, column]
    found = []
    for lower, other in enumerate((up[row, column], down[row, column])):
        for to_right, side in enumerate((left[row, column], right[row, column])):
            here = np.flatnonzero((other == side) & (side != own))
            found.append((2 * row[here] + lower, 2 * column[here] + to_right, side[here]))
    rows, columns, classes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return rows, columns, classes


def _spans(places: NDArray[np.intp], count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first of the pixels that lie on each of ``count`` places, and how many do: ``[count]``, ``[count]``."""
    seen = np.flatnonzero(places >= 0)
    lengths = np.bincount(places[seen], minlength=count)
    return np.searchsorted(places[seen], np.arange(count)) + (seen[0] if len(seen) else 0), lengths


class _Nearest:
    """Enlarges by the nearest pixel, rows and columns looked up once."""

    def __init__(self, placement: Placement) -> None:
        self._frame = placement.frame
        rows, columns = placement.rows(), placement.columns()
        self._rows, self._columns = rows.clip(0), columns.clip(0)
        self._seen = [
            (int(seen[0]), int(seen[-1]) + 1) if len(seen := np.flatnonzero(places >= 0)) else (0, 0)
            for places in (rows, columns)
        ]
        self._wide = np.empty((placement.frame[0], placement.source[1]), np.uint8)

    def enlarged(self, class_map: NDArray[np.uint8], out: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if class_map.shape != self._frame:
            raise ValueError(f"a class map of {class_map.shape}, expected {self._frame}")
        # Columns first: whole rows are copied after that.
        np.take(class_map, self._columns, 1, out=self._wide, mode="clip")
        np.take(self._wide, self._rows, 0, out=out, mode="clip")
        (top, bottom), (left, right) = self._seen
        out[:top] = out[bottom:] = NO_CLASS
        out[:, :left] = out[:, right:] = NO_CLASS
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
