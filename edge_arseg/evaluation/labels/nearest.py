"""Class maps at another size."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


def resized_map(class_map: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return ``[H, W] uint8`` as ``[height, width] uint8``: each pixel takes the class that lies at its centre.

    Classes cannot be interpolated, so the nearest pixel is taken: row ``floor((i + 0.5) * H / height)``, columns
    likewise. A map that has the size already is returned as it is.
    """
    if class_map.shape == (height, width):
        return class_map
    return class_map[_centres(class_map.shape[0], height)[:, None], _centres(class_map.shape[1], width)]


@lru_cache(maxsize=8)
def _centres(length: int, wanted: int) -> NDArray[np.intp]:
    return (2 * np.arange(wanted) + 1) * length // (2 * wanted)
