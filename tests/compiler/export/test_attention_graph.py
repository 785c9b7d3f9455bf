"""Local attention in standard ONNX operators computes what the torch operator computes."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_arseg.compiler.export import attention as attention_graph
from edge_arseg.compiler.export.attention import write_local_attention
from edge_arseg.compiler.graph_writer import GraphWriter
from edge_arseg.network.attention.local import local_attention


def model(shape, window, bias=None):
    graph = GraphWriter()
    out = write_local_attention(graph, "query", "key", "value", shape=shape, window=window, position_bias=bias)
    graph.op("Identity", out, name="out")
    spec = ("float32", (1, *shape))
    return graph.model("attention", dict.fromkeys(("query", "key", "value"), spec), {"out": spec})


def run(shape, *tensors, window=7, bias=None):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    content = model(shape, window, bias).SerializeToString()
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    feeds = {name: tensor.numpy() for name, tensor in zip(("query", "key", "value"), tensors, strict=True)}
    return session.run(["out"], feeds)[0]


def inputs(shape, *, seed=0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(scale * torch.randn(1, *shape, generator=generator) for _ in range(3))


@settings(max_examples=40)
@given(
    channels=st.sampled_from([1, 2, 5, 8]),
    height=st.integers(2, 13),
    width=st.integers(2, 53),
    window=st.sampled_from([3, 7]),
    seed=st.integers(0, 99),
)
def test_agrees_with_torch_at_every_size(channels, height, width, window, seed):
    shape = (channels, height, width)
    query, key, value = inputs(shape, seed=seed)
    expected = local_attention(query, key, value, window).numpy()
    np.testing.assert_allclose(run(shape, query, key, value, window=window), expected, rtol=0, atol=1e-5)
    bias = torch.randn(window**2, generator=torch.Generator().manual_seed(seed))
    expected = local_attention(query, key, value, window, bias).numpy()
    np.testing.assert_allclose(
        run(shape, query, key, value, window=window, bias=bias.numpy()), expected, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("width", [2, 3, 7, 15, 16, 17, 31, 32, 33, 48])
def test_agrees_around_the_block_s_width(width):
    shape = (4, 5, width)
    tensors = inputs(shape, seed=width)
    np.testing.assert_allclose(run(shape, *tensors), local_attention(*tensors, 7).numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 10])
@pytest.mark.parametrize("width", [16, 19])
def test_the_strip_height_changes_nothing(monkeypatch, rows, width):
    shape = (4, 10, width)
    tensors = inputs(shape)
    monkeypatch.setattr(attention_graph, "STRIP_BYTES", rows * 4 * 4 * width)
    concats = [node for node in model(shape, 7).graph.node if node.op_type == "Concat" and len(node.input) != 7]
    assert sum(len(node.input) for node in concats) == (-(-10 // rows) if rows < 10 else 0)
    np.testing.assert_allclose(run(shape, *tensors), local_attention(*tensors, 7).numpy(), rtol=0, atol=1e-5)


def test_neighbours_outside_the_image_stay_in_the_softmax():
    zeros, ones = torch.zeros(1, 2, 9, 21), torch.ones(1, 2, 9, 21)
    out = run((2, 9, 21), zeros, zeros, ones)[0, 0]
    assert out[4, 10] == pytest.approx(1.0)
    assert out[0, 0] == pytest.approx(16 / 49)
    assert out[8, 20] == pytest.approx(16 / 49)  # beside the padding up to a whole block


def test_large_similarities_stay_apart_from_the_mask():
    shape = (8, 6, 20)
    query, key, value = inputs(shape, scale=30.0)
    expected = local_attention(query, key, value, 7).numpy()
    np.testing.assert_allclose(run(shape, query, key, value), expected, rtol=1e-4, atol=1e-3)


def test_uses_operators_that_every_engine_knows():
    used = {node.op_type for node in model((4, 10, 19), 7).graph.node}
    assert used <= {
        *("Pad", "Slice", "Transpose", "Reshape", "Gather", "MatMul"),
        *("Add", "Concat", "Softmax", "Split", "Identity"),
    }
    assert {opset.version for opset in model((4, 10, 19), 7).opset_import} <= {16, 17, 18, 19}


def test_the_graph_s_shapes_are_static():
    inferred = onnx.shape_inference.infer_shapes(model((4, 10, 19), 7), strict_mode=True, data_prop=True)
    (out,) = inferred.graph.output
    assert [dimension.dim_value for dimension in out.type.tensor_type.shape.dim] == [1, 4, 10, 19]
