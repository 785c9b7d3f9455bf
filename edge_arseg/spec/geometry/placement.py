"""How a picture of any shape enters a frame of one shape."""

from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

NO_CLASS: Final = 255
"""Class index of a pixel that the network did not see."""

SOURCE: Final = "source"
MODEL: Final = "model"

OutputSize: TypeAlias = tuple[int, int] | str
"""Of results: ``SOURCE``, the size of each picture; ``MODEL``, the frame as it is; or rows and columns."""


class FitKind(str, Enum):
    """How a picture of another shape enters the frame."""

    STRETCH = "stretch"  # the whole picture fills the frame; its shape is lost
    LETTERBOX = "letterbox"  # the whole picture, in its shape, between two bars
    CROP = "crop"  # the frame is filled in the picture's shape; two sides of the picture are cut off


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an upright picture lies in a frame.

    The whole picture is scaled to ``height`` x ``width``, and its upper left corner lies at ``top``, ``left`` of the
    frame. Sizes are rows and columns, pixels.

    Attributes:
        source: of the picture.
        frame: of the frame.
        height, width: of the scaled picture.
        top, left: of the scaled picture in the frame; negative where sides are cut off.
        shown: first row, first column, rows and columns of the part of the frame that shows the picture. The rest is
            bars.
        pixel: width of the picture's pixels over their height.
    """

    source: tuple[int, int]
    frame: tuple[int, int]
    height: int
    width: int
    top: int
    left: int
    shown: tuple[int, int, int, int]
    pixel: Fraction = Fraction(1)

    @property
    def whole(self) -> bool:
        """The picture fills the frame, and nothing of it is cut off."""
        return (self.height, self.width) == self.frame

    @property
    def in_frame(self) -> tuple[int, int, int, int]:
        """First row, first column, rows and columns of the frame that the scaled picture covers."""
        top, left = max(self.top, 0), max(self.left, 0)
        bottom, right = min(self.top + self.height, self.frame[0]), min(self.left + self.width, self.frame[1])
        return top, left, bottom - top, right - left

    @property
    def same(self) -> bool:
        """Picture and frame have the same pixels."""
        return self.source == self.frame == (self.height, self.width) and self.shown == (0, 0, *self.frame)

    @property
    def seen(self) -> float:
        """Share of the picture that the frame shows, 0 to 1."""
        return (self.shown[2] * self.shown[3]) / (self.height * self.width)

    def rows(self) -> NDArray[np.intp]:
        """Row of the frame at the centre of each row of the picture, ``[H0]``; -1 where the frame does not show it."""
        return _places(self.source[0], self.height, self.top, self.shown[0], self.shown[2])

    def columns(self) -> NDArray[np.intp]:
        """Column of the frame at the centre of each column of the picture, ``[W0]``; -1 as in ``rows``."""
        return _places(self.source[1], self.width, self.left, self.shown[1], self.shown[3])

    def of_size(self, height: int, width: int) -> "Placement":
        """The same picture with more or fewer pixels, which are square: the frame looks the same."""
        return replace(self, source=(height, width), pixel=Fraction(1))

    def on_shown(self) -> "Placement":
        """Take the part of the frame that shows the picture for the frame."""
        top, left, height, width = self.shown
        return replace(
            self, frame=(height, width), top=self.top - top, left=self.left - left, shown=(0, 0, height, width)
        )

    def doubled(self) -> "Placement":
        """The same picture in a frame of twice the rows and columns."""
        rows, columns = self.frame
        return replace(
            self,
            frame=(2 * rows, 2 * columns),
            height=2 * self.height,
            width=2 * self.width,
            top=2 * self.top,
            left=2 * self.left,
            shown=(2 * self.shown[0], 2 * self.shown[1], 2 * self.shown[2], 2 * self.shown[3]),
        )

    def of_frame(self) -> "Placement":
        """Take the frame as it is for the picture, bars included; the bars still show nothing."""
        height, width = self.frame
        return replace(self, source=self.frame, height=height, width=width, top=0, left=0, pixel=Fraction(1))


def placement_of(
    source: tuple[int, int], frame: tuple[int, int], fit: FitKind = FitKind.STRETCH, pixel: Fraction | int = 1
) -> Placement:
    """Place an upright picture in a frame: in its middle, where there is a choice.

    Args:
        source: rows and columns of the picture.
        frame: rows and columns of the frame, whose pixels are square.
        fit: see ``FitKind``.
        pixel: width of the picture's pixels over their height.
    """
    height, width = frame
    if fit is not FitKind.STRETCH:
        # Products of integers: pictures in the frame's own shape fill it to the pixel.
        rows, columns = source[0], source[1] * pixel
        wider = columns * frame[0] > rows * frame[1]
        if wider is (fit is FitKind.LETTERBOX):
            height = max(1, round(rows * frame[1] / columns))
        else:
            width = max(1, round(columns * frame[0] / rows))
    top, left = (frame[0] - height) // 2, (frame[1] - width) // 2
    placement = Placement(source, frame, height, width, top, left, (0, 0, *frame), Fraction(pixel))
    return replace(placement, shown=placement.in_frame)


def _places(length: int, scaled: int, offset: int, first: int, count: int) -> NDArray[np.intp]:
    places = offset + (2 * np.arange(length) + 1) * scaled // (2 * length)
    places[(places < first) | (places >= first + count)] = -1
    return places
