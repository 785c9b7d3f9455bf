"""Tables of bilinear interpolation along one axis, made once because sizes never change.

Resizes that follow one another are one table: each is linear, rows and columns do not mix, so their product is exact.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from edge_arseg.runtime.kernels.numba.registers import LANES


class RowTaps(NamedTuple):
    """Where every target row comes from: ``sum_k weights[i * taps + k] * source[first[i] + k]``.

    Attributes:
        taps: consecutive source rows of every target row.
        first: ``[rows] int32``, not falling; ``first + taps`` stays inside the source.
        weights: ``[rows * taps] float32``.
    """

    taps: int
    first: np.ndarray
    weights: np.ndarray


class ColumnTaps(NamedTuple):
    """Where every register of ``LANES`` target columns comes from.

    Block ``b`` is ``sum_k weights[(start[b] + k) * LANES:][:LANES] * source[first[b] + k]`` for ``k`` below
    ``start[b + 1] - start[b]``.

    Attributes:
        first: ``[blocks] int32``.
        start: ``[blocks + 1] int32``.
        weights: ``[sum of all counts * LANES] float32``; empty where the target is the source.
    """

    first: np.ndarray
    start: np.ndarray
    weights: np.ndarray


def row_taps(source: int, steps: Iterable[tuple[int, bool]]) -> RowTaps:
    """Return the table of rows for resizes from ``source`` rows (see ``DecodeShapes.resizes``)."""
    index, weight = _resized(source, steps)
    low, high = _span(index, weight)
    taps = int((high - low).max()) + 1
    first = np.minimum(low, source - taps)
    table = np.zeros((len(index), taps))
    np.add.at(table, (np.arange(len(index))[:, None], np.where(weight > 0, index - first[:, None], 0)), weight)
    return RowTaps(taps, first.astype(np.int32), table.astype(np.float32).reshape(-1))


def column_taps(source: int, steps: Iterable[tuple[int, bool]]) -> ColumnTaps:
    """Return the table of columns for resizes from ``source`` columns."""
    index, weight = _resized(source, steps)
    blocks = -(-len(index) // LANES)
    own = np.where(index == np.arange(len(index))[:, None], weight, 0).sum(1)
    if len(index) == source and (own == 1).all():  # larger and back again blends neighbours
        return ColumnTaps(np.arange(blocks, dtype=np.int32) * LANES, np.zeros(blocks + 1, np.int32), _NO_WEIGHTS)
    low, high = _span(index, weight)
    first, start, tables = [], [0], []
    for left in range(0, len(index), LANES):
        part = slice(left, left + LANES)
        begin, end = int(low[part].min()), int(high[part].max()) + 1
        table = np.zeros((end - begin, LANES))
        lanes = np.arange(len(index[part]))[:, None]
        np.add.at(table, (np.where(weight[part] > 0, index[part] - begin, 0), lanes), weight[part])
        first.append(begin)
        start.append(start[-1] + end - begin)
        tables.append(table)
    weights = np.concatenate(tables).astype(np.float32).reshape(-1)
    return ColumnTaps(np.array(first, np.int32), np.array(start, np.int32), weights)


_NO_WEIGHTS = np.zeros(0, np.float32)


def _resized(source: int, steps: Iterable[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """Return source indices and weights ``[target, n]`` of resizes in a row."""
    index, weight = np.arange(source)[:, None], np.ones((source, 1))
    for target, align_corners in steps:
        length = len(index)
        if target == length:
            continue
        count = np.arange(target)
        if align_corners:
            position = count * (length - 1) / max(target - 1, 1)
        else:
            position = np.clip((count + 0.5) * length / target - 0.5, 0, length - 1)
        low = np.minimum(position.astype(np.intp), max(length - 2, 0))
        pair = np.stack([low, np.minimum(low + 1, length - 1)], 1)
        share = np.stack([1 - (position - low), position - low], 1)
        index, weight = index[pair].reshape(target, -1), (share[..., None] * weight[pair]).reshape(target, -1)
    return index, weight


def _span(index: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest source index of every target that has a weight."""
    used = weight > 0
    return np.where(used, index, index.max()).min(1), np.where(used, index, 0).max(1)
