"""Local attention with gradients, in the fastest way there is here."""

from importlib.util import find_spec

import torch
from torch import Tensor

from edge_arseg.network.attention.tiled import tiled_attention


def differentiable_attention(query: Tensor, key: Tensor, value: Tensor, window: int, position_bias: Tensor) -> Tensor:
    """Compute what ``local_attention`` computes, with gradients for query, key, value and position bias.

    Compiled by Numba for float32 on a CPU where Numba is installed; else by matrix products.

    Args:
        query: ``[N, C, h, w]``; ``key`` and ``value`` likewise. Fastest in ``torch.channels_last``.
        window: side of the window, odd.
        position_bias: ``[window^2]``.

    Returns:
        ``[N, C, h, w]``, in ``torch.channels_last``.
    """
    if query.device.type != "cpu" or query.dtype != torch.float32 or find_spec("numba") is None:
        return tiled_attention(query, key, value, window, position_bias)
    from edge_arseg.network.attention.compiled import compiled_attention

    return compiled_attention(query, key, value, window, position_bias)
