"""Local attention with gradients, compiled by Numba for the CPU: what training uses where it can.

One pixel after the other, all channels at once, nothing of ``channels`` values per neighbour is ever stored. The
backward pass keeps the 49 weights of each pixel and gathers, so that rows run in parallel and the sums have a fixed
order: the same inputs give the same bits, whatever the number of threads.
"""

from typing import Any

import numpy as np
import torch
from numba import config, get_num_threads, prange, set_num_threads
from torch import Tensor
from torch.autograd.function import once_differentiable

from edge_arseg.compiled import compiled

# Numba's own pool: the other ones share OpenMP with torch, and two pools that wait by spinning slow both down.
config.THREADING_LAYER = "workqueue"  # type: ignore[attr-defined]

NOTHING = np.float32(1e-9)
"""Weights below this are taken as 0 and skipped: float32 does not see them in a sum, and denormal numbers are slow."""


def compiled_attention(query: Tensor, key: Tensor, value: Tensor, window: int, position_bias: Tensor) -> Tensor:
    """Compute what ``local_attention`` computes, with gradients for query, key, value and position bias.

    It runs in as many threads as torch does. One thread at a time may call it: Numba's pool ends the process otherwise.

    Args:
        query: ``[N, C, h, w] float32`` on the CPU; ``key`` and ``value`` likewise. Fastest in ``torch.channels_last``.
        window: side of the window, odd.
        position_bias: ``[window^2] float32``.

    Returns:
        ``[N, C, h, w] float32`` in ``torch.channels_last``.
    """
    most: int = config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    if get_num_threads() != (wanted := min(torch.get_num_threads(), most)):
        set_num_threads(wanted)
    return _CompiledAttention.apply(query, key, value, window, position_bias)


class _CompiledAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, window: int, position_bias: Tensor) -> Tensor:
        arrays = [_channels_last(x) for x in (query, key, value)]
        out = np.empty_like(arrays[0])
        weight = np.empty((*out.shape[:3], window * window), np.float32)
        query_array, key_array, value_array = arrays
        bias = position_bias.detach().contiguous().numpy()
        _attend(query_array, key_array, value_array, bias, window // 2, weight, out)
        ctx.save_for_backward(*map(torch.from_numpy, (*arrays, weight)))
        ctx.window = window
        return torch.from_numpy(out).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, Tensor]:
        query, key, value, weight = (x.numpy() for x in ctx.saved_tensors)
        out = _channels_last(gradients[0])
        by_similarity = np.empty_like(weight)
        by_query, by_key, by_value = (np.empty_like(query) for _ in range(3))
        reach = ctx.window // 2
        _query_gradient(key, value, weight, out, reach, by_similarity, by_query)
        _key_value_gradients(query, weight, by_similarity, out, reach, by_key, by_value)
        by = [torch.from_numpy(x).permute(0, 3, 1, 2) for x in (by_query, by_key, by_value)]
        by_bias = torch.from_numpy(by_similarity.sum((0, 1, 2), np.float64).astype(np.float32))
        return by[0], by[1], by[2], None, by_bias


def _channels_last(x: Tensor) -> np.ndarray:
    return x.detach().permute(0, 2, 3, 1).contiguous().numpy()


@compiled(parallel=True, fastmath=True)
def _attend(query, key, value, bias, reach, weight, out):  # type: ignore[no-untyped-def]
    """All ``[N, h, w, C]``; ``weight [N, h, w, window^2]`` gets the softmax, ``out`` the weighted sum."""
    batch, height, width, channels = query.shape
    side = 2 * reach + 1
    for row in prange(batch * height):
        n, y = row // height, row % height
        for x in range(width):
            mine = weight[n, y, x]
            q = query[n, y, x]
            largest = np.float32(-np.inf)
            for k in range(side * side):
                at_y, at_x = y + k // side - reach, x + k % side - reach
                total = np.float32(0.0)
                if 0 <= at_y < height and 0 <= at_x < width:
                    other = key[n, at_y, at_x]
                    for c in range(channels):
                        total += q[c] * other[c]
                total += bias[k]
                mine[k] = total
                largest = max(largest, total)
            norm = np.float32(0.0)
            for k in range(side * side):
                mine[k] = np.exp(mine[k] - largest)
                norm += mine[k]
            result = out[n, y, x]
            result[:] = np.float32(0.0)
            for k in range(side * side):
                mine[k] = mine[k] / norm if mine[k] > NOTHING * norm else np.float32(0.0)
                if mine[k] == 0.0:
                    continue
                at_y, at_x = y + k // side - reach, x + k % side - reach
                if 0 <= at_y < height and 0 <= at_x < width:
                    other = value[n, at_y, at_x]
                    share = mine[k]
                    for c in range(channels):
                        result[c] += share * other[c]


@compiled(parallel=True, fastmath=True)
def _query_gradient(key, value, weight, by_out, reach, by_similarity, by_query):  # type: ignore[no-untyped-def]
    """Gradients of similarities and queries from that of the result."""
    batch, height, width, channels = key.shape
    side = 2 * reach + 1
    for row in prange(batch * height):
        n, y = row // height, row % height
        for x in range(width):
            shares, by = weight[n, y, x], by_similarity[n, y, x]
            g = by_out[n, y, x]
            mean = np.float32(0.0)
            for k in range(side * side):
                at_y, at_x = y + k // side - reach, x + k % side - reach
                total = np.float32(0.0)
                if shares[k] > 0.0 and 0 <= at_y < height and 0 <= at_x < width:
                    other = value[n, at_y, at_x]
                    for c in range(channels):
                        total += g[c] * other[c]
                by[k] = total
                mean += shares[k] * total
            result = by_query[n, y, x]
            result[:] = np.float32(0.0)
            for k in range(side * side):
                slope = shares[k] * (by[k] - mean)
                by[k] = slope
                at_y, at_x = y + k // side - reach, x + k % side - reach
                if slope != 0.0 and 0 <= at_y < height and 0 <= at_x < width:
                    other = key[n, at_y, at_x]
                    for c in range(channels):
                        result[c] += slope * other[c]


@compiled(parallel=True, fastmath=True)
def _key_value_gradients(query, weight, by_similarity, by_out, reach, by_key, by_value):  # type: ignore[no-untyped-def]
    """Gradients of keys and values, gathered from the queries whose windows hold them."""
    batch, height, width, channels = query.shape
    side = 2 * reach + 1
    for row in prange(batch * height):
        n, y = row // height, row % height
        for x in range(width):
            keys, values = by_key[n, y, x], by_value[n, y, x]
            keys[:] = np.float32(0.0)
            values[:] = np.float32(0.0)
            for k in range(side * side):
                from_y, from_x = y - k // side + reach, x - k % side + reach
                if 0 <= from_y < height and 0 <= from_x < width:
                    slope, share = by_similarity[n, from_y, from_x, k], weight[n, from_y, from_x, k]
                    if share == 0.0:
                        continue
                    q, g = query[n, from_y, from_x], by_out[n, from_y, from_x]
                    for c in range(channels):
                        keys[c] += slope * q[c]
                        values[c] += share * g[c]
