"""A strip below the picture that holds status and legend."""

import numpy as np
from numpy.typing import NDArray

from edge_arseg.video.overlay.facts.legend import Legend
from edge_arseg.video.overlay.facts.status import Status
from edge_arseg.video.overlay.plate import PAPER, Plate
from edge_arseg.video.overlay.scale import Scale


class Strip:
    """Draws the strip; it always has the same height.

    Attributes:
        height: rows, even.

    Args:
        scale: of the picture.
        status: whose plate lies on top.
        legend: whose plate lies below it.
        count: of the classes; 0: no legend.
    """

    def __init__(self, scale: Scale, status: Status, legend: Legend, count: int) -> None:
        self._margin, self._gap = scale.margin, scale.margin // 2
        self._below = self._gap + status.height
        height = self._below + self._gap
        if count:
            height += legend.height(legend.rows_of(count))
        self.height = height + height % 2

    def draw(self, room: NDArray[np.uint8], status: Plate, legend: Plate | None) -> None:
        """Draw on ``[height, W, 3] uint8``; all of it is overwritten."""
        room[...] = PAPER
        status.lay(room, self._gap, self._margin // 2)
        if legend is not None:
            legend.lay(room, self._below, 0)
