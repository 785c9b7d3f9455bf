"""Names of classes on their largest regions."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_arseg.video.overlay.plate import Plate, rounded
from edge_arseg.video.overlay.scale import Scale

_CELLS: Final = 56
"""Cells along each side of the grid in which places are looked for: in a wide picture they are as wide as words."""
_FRAMES: Final = 3
"""From one look for places to the next."""
_KEEPS: Final = 0.65
_NEW: Final = 0.3
_GLIDES: Final = 0.12
"""Farthest way that a label glides instead of jumping, as a share of the picture's side."""

Box = tuple[int, int, int, int]
"""Top, left, bottom, right, pixels."""


@dataclass(slots=True)
class _Place:
    """A label: its cell, and where it is drawn, pixels, moving there smoothly."""

    cell: tuple[int, int]
    row: float
    column: float


class Labels:
    """Finds the widest place of each class and writes its name there.

    A label stays where it is while there is nearly as much room as elsewhere.

    Args:
        names: by class index, as they are drawn.
        colors: ``[N, 3] uint8`` by class index.
        scale: of the picture.
        size: rows and columns of the pictures.
    """

    def __init__(self, names: Sequence[str], colors: NDArray[np.uint8], scale: Scale, size: tuple[int, int]) -> None:
        self._scale, self._size = scale, size
        height, width = size
        self._rows = (np.arange(min(_CELLS, height)) * 2 + 1) * height // (2 * min(_CELLS, height))
        self._columns = (np.arange(min(_CELLS, width)) * 2 + 1) * width // (2 * min(_CELLS, width))
        self._plates = [self._plate(name, color) for name, color in zip(names, colors, strict=True)]
        self._places: dict[int, _Place] = {}
        self._written: list[tuple[Plate, int, int]] = []
        self._age = 0

    def draw(self, picture: NDArray[np.uint8], class_map: NDArray[np.uint8], taken: Sequence[Box]) -> None:
        """Write on ``[H, W, 3] uint8`` the names of the classes of ``[H, W] uint8``, beside what is written already."""
        if not self._age % _FRAMES:
            self._written = list(self._found(class_map, taken))
        self._age += 1
        for plate, top, left in self._written:
            plate.lay(picture, top, left)

    def _found(self, class_map: NDArray[np.uint8], taken: Sequence[Box]) -> Iterator[tuple[Plate, int, int]]:
        """Look for places: which plate lies where, row and column of its corner."""
        height, width = self._size
        grid = class_map[self._rows[:, None], self._columns[None]]
        depth = _depth(grid)
        for top, left, bottom, right in taken:
            rows = (self._rows >= top - self._scale.row) & (self._rows < bottom + self._scale.row)
            depth[np.ix_(rows, (self._columns >= left) & (self._columns < right))] = 0
        cell_height, cell_width = height / len(self._rows), width / len(self._columns)
        written = list(taken)
        for index, plate in enumerate(self._plates):
            own = np.where(grid == index, depth, 0)
            best = int(own.max())
            if best * cell_height < 1.1 * plate.height or best * cell_width < 0.45 * plate.width:
                self._places.pop(index, None)
                continue
            place = self._place(index, own, best)
            top = round(place.row - plate.height / 2)
            left = min(max(round(place.column - plate.width / 2), 2), max(width - plate.width - 2, 0))
            box = top, left, top + plate.height, left + plate.width
            if not any(_meet(box, other) for other in written):
                written.append(box)
                yield plate, top, left

    def _place(self, index: int, own: NDArray[np.int64], best: int) -> _Place:
        place = self._places.get(index)
        if place is None or own[place.cell] < _KEEPS * best:
            row, column = (int(part) for part in np.unravel_index(int(own.argmax()), own.shape))
            away = math.inf
            if place is not None:
                away = max(abs(row - place.cell[0]) / len(self._rows), abs(column - place.cell[1]) / len(self._columns))
            if place is None or away > _GLIDES:  # gliding so far, it would lie on other classes meanwhile
                place = self._places[index] = _Place((row, column), self._rows[row], self._columns[column])
            place.cell = row, column
        place.row += _NEW * (self._rows[place.cell[0]] - place.row)
        place.column += _NEW * (self._columns[place.cell[1]] - place.column)
        return place

    def _plate(self, name: str, color: NDArray[np.uint8]) -> Plate:
        scale = self._scale
        text, height = scale.text, round(1.55 * scale.text)
        plate = Plate(height, round(scale.font.width(name) + 1.75 * text), 0.5 * height)
        side = max(3, round(0.5 * text))
        plate.ink(rounded(side, side, side / 2), round((height - side) / 2), round(0.5 * text), _bright(color))
        plate.write(scale.font, name, height / 2, 1.25 * text)
        return plate


def _meet(box: Box, other: Box) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]


def _bright(color: NDArray[np.uint8]) -> tuple[int, int, int]:
    """A colour that can be seen on a dark plate."""
    red, green, blue = (int(0.8 * part + 0.2 * 255) for part in color)
    return red, green, blue


def _depth(grid: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many cells each cell is away from another class or the edge of the picture, at least 1."""
    inside = np.zeros((grid.shape[0] + 2, grid.shape[1] + 2), bool)
    same = inside[1:-1, 1:-1]
    same[...] = True
    same[1:] &= grid[1:] == grid[:-1]
    same[:-1] &= grid[1:] == grid[:-1]
    same[:, 1:] &= grid[:, 1:] == grid[:, :-1]
    same[:, :-1] &= grid[:, 1:] == grid[:, :-1]
    depth = np.ones(grid.shape, np.int64)
    while inside.any():
        depth += inside[1:-1, 1:-1]
        smaller = inside[1:-1, 1:-1] & inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
        inside[1:-1, 1:-1] = smaller
    return depth
