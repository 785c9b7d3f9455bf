"""Local attention with gradients, by batched matrix products: what training uses.

Queries are cut into tiles of 8x8 pixels; a tile and the 14x14 keys that its windows reach are one matrix product.
Three quarters of its results lie outside the windows and are never looked at, but nothing of ``channels`` values per
pixel is copied 49 times, and a product runs at the machine's best (on some CPUs in bfloat16).
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

TILE = 8
"""Side of a tile of queries."""


def tiled_attention(query: Tensor, key: Tensor, value: Tensor, window: int, position_bias: Tensor) -> Tensor:
    """Compute what ``local_attention`` computes, with gradients for query, key, value and position bias.

    The products run in the type of their inputs, under autocast in autocast's type; softmax runs in float32 (float64
    for float64 inputs), and the result has the type of ``query``.

    Args:
        query: ``[N, C, h, w]``; ``key`` and ``value`` likewise. Fastest in ``torch.channels_last``.
        window: side of the window, odd, at most ``TILE + 1``.
        position_bias: ``[window^2]``, of the type of softmax.

    Returns:
        ``[N, C, h, w]``, in ``torch.channels_last``.

    Raises:
        ValueError: the window is even, or reaches over more than the neighbouring tile.
    """
    if window % 2 == 0 or window > TILE + 1:
        raise ValueError(f"window {window} seen, expected an odd number up to {TILE + 1}")
    kind = query.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else query.dtype
    with torch.autocast(kind, enabled=False):
        attended = _TiledAttention.apply(query.to(dtype), key.to(dtype), value.to(dtype), window, position_bias)
        return attended.to(query.dtype)


class _TiledAttention(torch.autograd.Function):
    """Keeps query, key, value and the ``window^2`` weights of each pixel; tiles are cut again for the gradients."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, window: int, position_bias: Tensor) -> Tensor:
        size = (query.shape[2], query.shape[3])
        similarity = torch.bmm(_query_tiles(query), _reach_tiles(key, window).transpose(1, 2))
        precise = similarity.dtype if similarity.dtype == torch.float64 else torch.float32
        biased = _windows(similarity, window).to(precise).flatten(3) + position_bias.to(precise)
        weight = torch.softmax(biased, 3).to(query.dtype)
        ctx.save_for_backward(query, key, value, weight)
        ctx.window, ctx.bias_type = window, position_bias.dtype
        return _image(torch.bmm(_spread(weight, window), _reach_tiles(value, window)), query.shape[0], size)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, Tensor]:
        query, key, value, weight = ctx.saved_tensors
        window, batch, size = ctx.window, query.shape[0], (query.shape[2], query.shape[3])
        out = _query_tiles(gradients[0].to(query.dtype))
        by_value = torch.bmm(_spread(weight, window).transpose(1, 2), out)
        by_weight = _windows(torch.bmm(out, _reach_tiles(value, window).transpose(1, 2)), window).flatten(3)
        precise = torch.float64 if query.dtype == torch.float64 else torch.float32
        share = weight.to(precise) * by_weight.to(precise)
        by_similarity = share - weight.to(precise) * share.sum(3, keepdim=True)
        spread = _spread(by_similarity.to(query.dtype), window)
        by_query = torch.bmm(spread, _reach_tiles(key, window))
        by_key = torch.bmm(spread.transpose(1, 2), _query_tiles(query))
        return (
            _image(by_query, batch, size),
            _sum_of_reach_tiles(by_key, batch, size, window),
            _sum_of_reach_tiles(by_value, batch, size, window),
            None,
            by_similarity.sum((0, 1, 2)).to(ctx.bias_type),
        )


def _tiles(length: int) -> int:
    return -(-length // TILE)


def _query_tiles(x: Tensor) -> Tensor:
    """Cut ``[N, C, h, w]`` into ``[N * tiles, TILE^2, C]``, zeros behind the last row and column."""
    batch, channels, height, width = x.shape
    down, across = _tiles(height), _tiles(width)
    x = F.pad(x.permute(0, 2, 3, 1), (0, 0, 0, across * TILE - width, 0, down * TILE - height))
    x = x.reshape(batch, down, TILE, across, TILE, channels).transpose(2, 3)
    return x.reshape(batch * down * across, TILE * TILE, channels)


def _image(tiles: Tensor, batch: int, size: tuple[int, int]) -> Tensor:
    """Undo ``_query_tiles``."""
    height, width = size
    down, across = _tiles(height), _tiles(width)
    x = tiles.view(batch, down, across, TILE, TILE, -1).transpose(2, 3)
    x = x.reshape(batch, down * TILE, across * TILE, -1)[:, :height, :width]
    return x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def _reach_tiles(x: Tensor, window: int) -> Tensor:
    """Cut ``[N, C, h, w]`` into what each tile's windows reach: ``[N * tiles, (TILE + window - 1)^2, C]``."""
    batch, channels, height, width = x.shape
    down, across, reach, side = _tiles(height), _tiles(width), window // 2, TILE + window - 1
    pad = (reach, reach + across * TILE - width, reach, reach + down * TILE - height)
    x = F.pad(x.permute(0, 2, 3, 1), (0, 0, *pad))
    x = x.unfold(1, side, TILE).unfold(2, side, TILE).permute(0, 1, 2, 4, 5, 3)
    return x.reshape(batch * down * across, side * side, channels)


def _sum_of_reach_tiles(tiles: Tensor, batch: int, size: tuple[int, int], window: int) -> Tensor:
    """Add up what ``_reach_tiles`` cut: its transpose, ``[N, C, h, w]``."""
    height, width = size
    down, across, reach, side = _tiles(height), _tiles(width), window // 2, TILE + window - 1
    x = tiles.view(batch, down, across, side, side, -1)
    rows = x.new_zeros(batch, down + 1, TILE, across, side, x.shape[-1])
    rows[:, :down] += x[:, :, :, :TILE].transpose(2, 3)
    rows[:, 1:, : side - TILE] += x[:, :, :, TILE:].transpose(2, 3)
    rows = rows.view(batch, (down + 1) * TILE, across, side, -1)[:, reach : reach + height]
    total = x.new_zeros(batch, height, across + 1, TILE, x.shape[-1])
    total[:, :, :across] += rows[:, :, :, :TILE]
    total[:, :, 1:, : side - TILE] += rows[:, :, :, TILE:]
    total = total.view(batch, height, (across + 1) * TILE, -1)[:, :, reach : reach + width]
    return total.permute(0, 3, 1, 2)


def _windows(products: Tensor, window: int) -> Tensor:
    """View of the windows in ``[tiles, TILE^2, side^2]``: ``[tiles, TILE, TILE, window, window]``.

    The window of query ``(y, x)`` starts at key ``(y, x)`` of its tile, so a step of the query is a step of a row in
    ``products`` and one of a key as well.
    """
    side = TILE + window - 1
    row = side * side
    return products.as_strided(
        (products.shape[0], TILE, TILE, window, window),
        (products.stride(0), TILE * row + side, row + 1, side, 1),
    )


def _spread(weight: Tensor, window: int) -> Tensor:
    """Put ``weight [tiles, TILE, TILE, window^2]`` at its keys: ``[tiles, TILE^2, side^2]``, zero elsewhere."""
    side = TILE + window - 1
    products = weight.new_zeros(weight.shape[0], TILE * TILE, side * side)
    _windows(products, window).copy_(weight.unflatten(3, (window, window)))
    return products
