"""Tables of bilinear interpolation along one axis, made once because sizes never change."""

from typing import NamedTuple

import numpy as np

from edge_arseg.runtime.kernels.numba.registers import LANES


class Axis(NamedTuple):
    """Two source indices and their weights for every target index.

    Attributes:
        low: ``[n] int32``.
        high: ``[n] int32``, ``low + 1`` or the last index.
        low_weight: ``[n] float32``.
        high_weight: ``[n] float32``.
    """

    low: np.ndarray
    high: np.ndarray
    low_weight: np.ndarray
    high_weight: np.ndarray


def axis_of(source: int, target: int, before: int = 0, after: int = 0, like_torch: bool = True) -> Axis:
    """Return the table that resizes ``source`` samples to ``target`` as ``align_corners=True`` does.

    Args:
        source: number of samples there are.
        target: number of samples wanted.
        before: entries of weight 0 put in front of the table.
        after: entries of weight 0 put behind it.
        like_torch: round positions to float32, as PyTorch's ``upsample_bilinear2d`` does for float32 samples.
    """
    exact = np.float32 if like_torch else np.float64
    ratio = (source - 1) / (target - 1) if target > 1 else 0.0
    position = np.arange(target, dtype=exact) * np.asarray(ratio, exact)
    low = np.minimum(position.astype(np.int32), source - 1)
    high = np.minimum(low + 1, source - 1)
    high_weight = (position - low).astype(np.float32)
    low_weight = (1 - (position - low)).astype(np.float32)
    padding = (before, after)
    return Axis(*(np.pad(part, padding) for part in (low, high, low_weight, high_weight)))


def windows_of(axis: Axis, source: int) -> tuple[Axis, np.ndarray]:
    """Return the table with indices relative to windows of ``2 * LANES`` samples, and where each window starts.

    The table's length must be a multiple of ``LANES``; window ``i`` serves ``LANES`` entries from ``i * LANES``.
    No window reaches over the end of the ``source`` samples. Where the sources of some window lie too far apart, the
    table is returned as it is, with no windows.
    """
    low, high = axis.low.reshape(-1, LANES), axis.high.reshape(-1, LANES)
    used = (axis.low_weight + axis.high_weight).reshape(-1, LANES) > 0
    start = np.where(used, low, source).min(axis=1).clip(0, max(0, source - 2 * LANES))
    low, high = (np.where(used, part - start[:, None], 0) for part in (low, high))
    if source < 2 * LANES or high.max() >= 2 * LANES:
        return axis, np.zeros(0, np.int32)
    flat = Axis(low.reshape(-1).astype(np.int32), high.reshape(-1).astype(np.int32), axis.low_weight, axis.high_weight)
    return flat, start.astype(np.int32)
