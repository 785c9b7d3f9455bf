"""The classes that are seen, with their colours and shares."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_arseg.video.overlay.plate import DIM, Plate, rounded
from edge_arseg.video.overlay.scale import Scale
from edge_arseg.video.overlay.text.ink import Color

_MOST_OF_PICTURE: Final = 0.4
"""Largest share of the height: in a picture that is smaller than its legend the last rows are left out."""
_DARK: Final = 80
"""Brightness, 0 to 255."""
_FRAMES: Final = 6
"""From one renewal of the numbers to the next: quicker, nobody can read them."""


class Legend:
    """Makes the plate of the legend, anew where it changed.

    Above the classes, each in a place of its own, lies a bar that their shares divide.

    Args:
        names: by class index, as they are drawn.
        colors: ``[N, 3] uint8`` by class index.
        scale: of the picture.
        room: height and width of the picture, pixels.
    """

    def __init__(self, names: Sequence[str], colors: NDArray[np.uint8], scale: Scale, room: tuple[int, int]) -> None:
        self._names = names
        self._colors = [(int(red), int(green), int(blue)) for red, green, blue in colors]
        self._scale = scale
        height, width = room
        self._rows = max(1, int(height * _MOST_OF_PICTURE) // scale.row)
        self._width = width - 2 * scale.margin
        self._seen: list[int] = []
        self._shown: tuple[list[int], list[str]] = [], []
        self._age = 0
        self._plate: Plate | None = None

    def plate(self, shares: Sequence[tuple[int, float]], *, solid: bool = False) -> Plate | None:
        """Return the plate for classes and their shares, 0 to 1; ``None`` where there are none.

        Args:
            shares: class indices, rising, and shares.
            solid: hide the picture; always the same.
        """
        seen = [index for index, _ in shares]
        if seen != self._seen or not self._age % _FRAMES:
            self._seen = seen
            shown = [_percent(share) for _, share in shares]
            if (seen, shown) != self._shown:
                self._shown = seen, shown
                self._plate = self._drawn(shares, solid) if shares else None
        self._age += 1
        return self._plate

    def rows_of(self, count: int) -> int:
        """Return the rows that the first ``count`` classes need."""
        return len(self._placed(list(range(count)))[0])

    def height(self, rows: int) -> int:
        """Return the height of a plate, pixels."""
        return self._bar + rows * self._scale.row + round(0.35 * self._scale.text)

    @property
    def _bar(self) -> int:
        return max(2, round(0.3 * self._scale.text)) + round(0.5 * self._scale.text)

    def _item(self, index: int) -> float:
        """Width of a class: swatch, name, share, and the gap to the next."""
        return self._scale.font.width(self._names[index] + " 100%") + 2.2 * self._scale.text

    def _placed(self, indices: Sequence[int]) -> tuple[list[list[int]], float]:
        """Fill rows with classes; return them and the width of the widest."""
        most = self._width - self._scale.margin
        rows: list[list[int]] = [[]]
        used, widest = 0.0, 0.0
        for index in indices:
            wide = self._item(index)
            if rows[-1] and used + wide > most:
                rows.append([])
                used = 0.0
            rows[-1].append(index)
            used += wide
            widest = max(widest, used)
        return rows[: self._rows], widest

    def _drawn(self, shares: Sequence[tuple[int, float]], solid: bool) -> Plate:
        scale, by_class = self._scale, dict(shares)
        text, font = scale.text, scale.font
        rows, widest = self._placed(list(by_class))
        whole = self._width if solid else min(self._width, round(widest + scale.margin))
        plate = Plate(self.height(len(rows)), max(1, whole), scale.radius, solid=solid)
        self._draw_bar(plate, shares)
        side = max(3, round(0.8 * text))
        swatch, edge = rounded(side, side, 0.22 * text), max(1, side // 9)
        for number, row in enumerate(rows):
            left, middle = float(scale.margin), self._bar + (number + 0.5) * scale.row
            for index in row:
                top = round(middle - side / 2)
                plate.ink(swatch, top, round(left), DIM if _is_dark(self._colors[index]) else self._colors[index])
                inside = side - 2 * edge
                plate.fill(top + edge, round(left) + edge, inside, inside, self._colors[index])
                plate.write(font, self._names[index], middle, left + 1.25 * text)
                share = _percent(by_class[index])
                at = left + 1.25 * text + font.width(self._names[index] + " ")
                plate.write(font, share, middle, at, DIM)
                left += self._item(index)
        return plate

    def _draw_bar(self, plate: Plate, shares: Sequence[tuple[int, float]]) -> None:
        scale = self._scale
        high, top = max(2, round(0.3 * scale.text)), round(0.5 * scale.text)
        room = plate.width - 2 * scale.margin
        if room <= 0:
            return
        total, at = sum(share for _, share in shares) or 1.0, 0.0
        for index, share in shares:
            begin, end = round(at), round(at + room * share / total)
            at += room * share / total
            plate.fill(top, scale.margin + begin, high, end - begin, self._colors[index])


def _is_dark(color: Color) -> bool:
    """Whether a colour is hard to tell from the plate: it gets a light edge."""
    red, green, blue = color
    return 0.299 * red + 0.587 * green + 0.114 * blue < _DARK


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%" if share >= 0.005 else "<1%"
