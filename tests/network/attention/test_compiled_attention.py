"""The compiled attention against the plain one, values and gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from edge_arseg.network.attention.differentiable import differentiable_attention
from edge_arseg.network.attention.local import shifted_attention

pytest.importorskip("numba")
from edge_arseg.network.attention.compiled import compiled_attention


def inputs(size, seed=0, window=7):
    """Query, key, value and position bias."""
    generator = torch.Generator().manual_seed(seed)
    sizes = [size, size, size, (window**2,)]
    return [torch.randn(size, generator=generator).requires_grad_() for size in sizes]


def plain(query, key, value, window, bias):
    pad = (window // 2,) * 4
    return shifted_attention(query, F.pad(key, pad), F.pad(value, pad), window, bias)


def with_gradients(attention, tensors, window):
    own = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    out = attention(*own[:3], window, own[3])
    weights = torch.linspace(-1.0, 1.0, out.numel()).view(out.shape)  # a gradient that differs everywhere
    (out * weights).sum().backward()
    return [out.detach(), *(tensor.grad for tensor in own)]


@settings(max_examples=25)
@given(
    st.integers(1, 2), st.integers(1, 9), st.integers(1, 13), st.integers(1, 13), st.sampled_from([1, 3, 7]),
    st.integers(0, 99),
)  # fmt: skip
def test_values_and_gradients_are_those_of_the_plain_attention(batch, channels, height, width, window, seed):
    tensors = inputs((batch, channels, height, width), seed, window)
    wanted = with_gradients(plain, [tensor.double() for tensor in tensors], window)
    for seen, expected in zip(with_gradients(compiled_attention, tensors, window), wanted, strict=True):
        torch.testing.assert_close(seen.double(), expected, rtol=1e-4, atol=1e-5)


def test_threads_do_not_change_a_bit():
    tensors, before = inputs((2, 16, 12, 17)), torch.get_num_threads()
    results = []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        results.append(with_gradients(compiled_attention, tensors, 7))
    torch.set_num_threads(before)
    for other in results[1:]:
        assert all(torch.equal(one, two) for one, two in zip(results[0], other, strict=True))


def test_doubles_go_another_way():
    tensors = [tensor.double() for tensor in inputs((1, 3, 9, 10))]
    for seen, expected in zip(
        with_gradients(differentiable_attention, tensors, 7), with_gradients(plain, tensors, 7), strict=True
    ):
        assert seen.dtype == torch.float64
        torch.testing.assert_close(seen, expected, rtol=1e-10, atol=1e-12)
