"""Class maps at another size."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.geometry.enlargement import nearest_map


def resized_map(class_map: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return ``[H, W] uint8`` as ``[height, width] uint8``: each pixel takes the class that lies at its centre.

    Classes cannot be interpolated, so the nearest pixel is taken: row ``floor((i + 0.5) * H / height)``, columns
    likewise. A map that has the size already is returned as it is.
    """
    if class_map.shape == (height, width):
        return class_map
    return class_map[_centres(class_map.shape[0], height)[:, None], _centres(class_map.shape[1], width)]


def map_of_label(result: SegmentedFrame, height: int, width: int) -> NDArray[np.uint8]:
    """Return a result's class map at the size of its picture's label, ``[height, width] uint8``; see ``resized_map``.

    Where the network did not see the picture it is 255.
    """
    placement = result.frame.placement
    if placement is None:
        return resized_map(result.class_map, height, width)
    return nearest_map(result.class_map, placement.of_size(height, width))


@lru_cache(maxsize=8)
def _centres(length: int, wanted: int) -> NDArray[np.intp]:
    return (2 * np.arange(wanted) + 1) * length // (2 * wanted)
