"""Colour that is laid on a picture."""

import numpy as np
from numpy.typing import NDArray

Color = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""


def ink(picture: NDArray[np.uint8], mask: NDArray[np.uint8], top: int, left: int, color: Color) -> None:
    """Lay a colour on a picture ``[H, W, 3] uint8`` where a mask ``[h, w] uint8`` says how much; cut at the edges."""
    height, width = picture.shape[:2]
    rows, columns = (
        slice(max(top, 0), min(top + len(mask), height)),
        slice(max(left, 0), min(left + mask.shape[1], width)),
    )
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    part = picture[rows, columns]
    much = mask[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left, None].astype(np.int32)
    part[...] = part + ((np.array(color, np.int32) - part) * much + 127) // 255
