"""How colours look to people whose eyes lack one of the three kinds of cone."""

from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge_arseg.video.overlay.palette.lab import distances, lab_from_linear, linear_from_rgb


class Vision(str, Enum):
    """Who looks."""

    NORMAL = "normal"
    PROTANOPIA = "protanopia"  # no red cones
    DEUTERANOPIA = "deuteranopia"  # no green cones
    TRITANOPIA = "tritanopia"  # no blue cones


_MATRICES: Final = {
    Vision.NORMAL: np.eye(3),
    Vision.PROTANOPIA: np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    Vision.DEUTERANOPIA: np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    Vision.TRITANOPIA: np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""On light: Machado, Oliveira and Fernandes 2009, severity 1."""


def lab_seen(rgb: ArrayLike, vision: Vision) -> NDArray[np.float64]:
    """Return CIELAB ``[..., 3]`` of sRGB colours ``[..., 3]``, 0 to 255, as they are seen."""
    return lab_from_linear((linear_from_rgb(rgb) @ _MATRICES[vision].T).clip(0, 1))


def least_distance(rgb: ArrayLike, vision: Vision = Vision.NORMAL) -> float:
    """Return the least CIE 1976 colour difference between any two of the colours ``[N, 3]``, N at least 2."""
    lab = lab_seen(rgb, vision)
    apart = distances(lab, lab)
    return float(apart[np.triu_indices(len(lab), 1)].min())
