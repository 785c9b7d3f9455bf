"""CIELAB, the colour space in which equal distances look about equally different."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

_XYZ_OF_RGB: Final = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE: Final = _XYZ_OF_RGB.sum(1)
"""D65, the white of sRGB."""


def linear_from_rgb(rgb: ArrayLike) -> NDArray[np.float64]:
    """Return light, 0 to 1, from sRGB of 0 to 255 (IEC 61966-2-1); any shape."""
    part = np.asarray(rgb, np.float64) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lab_from_linear(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return CIELAB ``[..., 3]`` (L 0 to 100, a, b) from light ``[..., 3]``."""
    ratio = linear @ _XYZ_OF_RGB.T / _WHITE
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def distances(lab: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the CIE 1976 colour difference of each of ``[N, 3]`` to each of ``[M, 3]``, ``[N, M]``."""
    return np.sqrt(((lab[:, None] - others[None]) ** 2).sum(-1))
