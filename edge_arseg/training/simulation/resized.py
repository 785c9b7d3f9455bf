"""A still brought to the size of the frames."""

import av
import numpy as np

from edge_arseg.evaluation.labels.nearest import resized_map


def resized_still(rgb: np.ndarray, label: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Cut the middle of the shape of ``size`` out of a still, and resize it: the label by the nearest pixel.

    Args:
        rgb: ``[h, w, 3] uint8``.
        label: ``[h, w] uint8``.
        size: rows and columns.

    Returns:
        ``[H, W, 3] uint8`` and ``[H, W] uint8``.
    """
    rows, columns = label.shape
    if (rows, columns) == size:
        return rgb, label
    kept_rows, kept_columns = rows, columns
    if rows * size[1] > columns * size[0]:
        kept_rows = max(1, round(columns * size[0] / size[1]))
    else:
        kept_columns = max(1, round(rows * size[1] / size[0]))
    top, left = (rows - kept_rows) // 2, (columns - kept_columns) // 2
    window = slice(top, top + kept_rows), slice(left, left + kept_columns)
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb[window]), format="rgb24")
    resized = picture.reformat(size[1], size[0], "rgb24", interpolation="AREA").to_ndarray()
    return np.ascontiguousarray(resized), resized_map(label[window], *size)
