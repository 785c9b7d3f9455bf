"""How a stored picture is held to be shown: mirrored or not, and turned by quarters."""

import math
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.video.decoding.side_data import side_data

_TOLERANCE = 1.0  # degrees


@dataclass(frozen=True, slots=True)
class Orientation:
    """What is done to a stored picture: mirrored first, then turned.

    Attributes:
        turns: quarter turns, counter-clockwise, 0 to 3.
        mirrored: left and right change places, before the turn.
        rest: degrees that the stream asks for beyond the quarter turns, -45 to 45; nothing turns by them. 0 where it is
            less than one.
    """

    turns: int = 0
    mirrored: bool = False
    rest: float = 0.0

    def shown(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A stored ``[H, W, ...]`` as shown; a view."""
        return np.rot90(pixels[:, ::-1] if self.mirrored else pixels, self.turns)

    def sides(self, height: int, width: int) -> tuple[int, int]:
        """Height and width as shown of a picture stored with these, and the other way round."""
        return (width, height) if self.turns % 2 else (height, width)


UPRIGHT = Orientation()


def orientation_from_picture(picture: av.VideoFrame) -> Orientation | None:
    """What the container, the stream or the EXIF data of a decoded picture asks for; ``None`` where nothing does."""
    data = side_data(picture, "DISPLAYMATRIX")
    return None if data is None else orientation_from_matrix(bytes(data))


def orientation_from_matrix(data: bytes) -> Orientation:
    """What FFmpeg's display matrix asks for: nine int32, of which (a, b, 0, c, d, ...) take (x, y), y downwards, to
    (a x + c y, b x + d y). Its scale and its shift are left out, as players do."""
    a, b, _, c, d = (float(value) for value in np.frombuffer(data, "=i4", 5))
    mirrored = a * d - b * c < 0
    # Where it mirrors, it is mirror first, then a turn: what comes of a step to the left is what the turn does to one
    # to the right. A turn by an angle to the left takes (1, 0) to (cos, -sin) and (0, 1) to (sin, cos); both count,
    # because of scale and slant.
    if mirrored:
        a, b = -a, -b
    across, up = a + d, c - b
    if not (across or up):
        return UPRIGHT  # zeros, or nothing that a turn could come near to
    angle = math.degrees(math.atan2(up, across))
    quarters = round(angle / 90)
    rest = angle - 90 * quarters
    return Orientation(quarters % 4, mirrored, rest if abs(rest) > _TOLERANCE else 0.0)
