"""Attention of each pixel to a window of its neighbours, without unfolding.

``local_attention`` is a torch operator of its own, so that the flop counter can count it and the meta device can
shape it. ``shifted_attention`` is the same in standard operators, for export.
"""

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import register_flop_formula

STRIP_BYTES = 2_000_000
"""Working set of one strip of rows; a few strips of this size stay in a core's cache."""


@torch.library.custom_op("edge_arseg::local_attention", mutates_args=())
def local_attention(
    query: Tensor, key: Tensor, value: Tensor, window: int, position_bias: Tensor | None = None
) -> Tensor:
    """Weighted sum of ``value`` in the window around each pixel.

    ``S[k] = sum_c Q[c] K_k[c]`` over the ``window x window`` neighbours in row-major order, without a scale; a
    softmax over all of them; ``sum_k S[k] V_k``. Neighbours outside the image have similarity 0 and stay in the
    softmax, and contribute nothing (AR-Seg, equation 3, as the released code computes it).

    Args:
        query: ``[N, C, h, w]``; ``key`` and ``value`` likewise.
        window: side of the window, odd.
        position_bias: ``[window^2]``, added to the similarities, those of neighbours outside the image too; ``None``
            for zeros.

    Returns:
        ``[N, C, h, w]``. Peak memory above inputs and output is a padded key and value of one strip of rows.
    """
    batch, channels, height, width = query.shape
    rows = max(1, STRIP_BYTES // max(1, channels * width * query.element_size()))
    out = torch.empty_like(query)
    reach = window // 2
    for n in range(batch):
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            first, last = max(0, top - reach), min(height, bottom + reach)
            pad = (reach, reach, reach - (top - first), reach - (last - bottom))
            out[n, :, top:bottom] = shifted_attention(
                query[n : n + 1, :, top:bottom],
                F.pad(key[n : n + 1, :, first:last], pad),
                F.pad(value[n : n + 1, :, first:last], pad),
                window,
                position_bias,
            )[0]
    return out


@local_attention.register_fake
def _(query: Tensor, key: Tensor, value: Tensor, window: int, position_bias: Tensor | None = None) -> Tensor:
    return torch.empty_like(query)


@register_flop_formula(torch.ops.edge_arseg.local_attention)
def _local_attention_flops(query_shape, key_shape, value_shape, window, *args, out_shape=None, **kwargs) -> int:  # type: ignore[no-untyped-def]
    """Similarity and weighting, a multiply and an add each: ``2 * 2 * N * C * h * w * window^2``."""
    batch, channels, height, width = query_shape
    return 4 * batch * channels * height * width * window**2


def shifted_attention(
    query: Tensor, padded_key: Tensor, padded_value: Tensor, window: int, position_bias: Tensor | None = None
) -> Tensor:
    """``local_attention`` in standard operators: one shifted product per neighbour.

    Args:
        query: ``[N, C, h, w]``.
        padded_key: ``[N, C, h + window - 1, w + window - 1]``, zeros around; ``padded_value`` likewise.
        window: side of the window, odd.
        position_bias: ``[window^2]``; ``None`` for zeros.

    Returns:
        ``[N, C, h, w]``.
    """
    height, width = query.shape[-2:]
    offsets = [(dy, dx) for dy in range(window) for dx in range(window)]
    similarity = torch.cat(
        [(query * padded_key[:, :, y : y + height, x : x + width]).sum(1, keepdim=True) for y, x in offsets], 1
    )
    if position_bias is not None:
        similarity = similarity + position_bias.view(1, -1, 1, 1)
    weight = torch.softmax(similarity, 1)
    total = torch.zeros_like(query)
    for k, (y, x) in enumerate(offsets):
        total = total + weight[:, k : k + 1] * padded_value[:, :, y : y + height, x : x + width]
    return total
