"""A prepared graph computes the same with fewer steps in float."""

from collections import Counter

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from edge_arseg.compiler.graph_writer import GraphWriter
from edge_arseg.compiler.quantize.rules.preparation import prepared_graph
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.manifest import Role

HEIGHT, WIDTH = 12, 20
MEAN, STD = np.array([0.4, 0.5, 0.6], np.float32), np.array([0.2, 0.25, 0.3], np.float32)


def frame(height=HEIGHT, width=WIDTH):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def run(model, x):
    return ort.InferenceSession(model.SerializeToString()).run(None, {"frame": x})


def normalising(*, resize, mean=MEAN):
    graph = GraphWriter()
    planes = graph.op("Transpose", graph.op("Cast", "frame", to=onnx.TensorProto.FLOAT), perm=[2, 0, 1])
    image = graph.op("Unsqueeze", planes, graph.integers(0))
    size = (HEIGHT, WIDTH)
    if resize:
        size = (HEIGHT // 2, WIDTH // 2)
        image = graph.op("Resize", image, "", "", graph.integers(1, 3, *size), mode="linear")
    image = graph.op("Div", image, graph.constant("top", np.float32(255)))
    image = graph.op("Sub", image, graph.constant("mean", mean.reshape(1, 3, 1, 1)))
    image = graph.op("Div", image, graph.constant("std", STD.reshape(1, 3, 1, 1)))
    weight = graph.constant("w", np.random.default_rng(1).normal(size=(4, 3, 3, 3)).astype(np.float32))
    graph.op("ReduceMean", graph.op("Conv", image, weight, pads=[1] * 4), graph.integers(2, 3), name="y", keepdims=1)
    return graph.model("lr", {"frame": ("uint8", (HEIGHT, WIDTH, 3))}, {"y": ("float32", (1, 4, 1, 1))})


@pytest.mark.parametrize("resize", [False, True])
def test_the_function_stays_the_same(resize):
    model = normalising(resize=resize)
    prepared = prepared_graph(model)
    kinds = Counter(node.op_type for node in prepared.graph.node)
    assert (kinds["Div"], kinds["Sub"], kinds["Mul"], kinds["Add"], kinds["GlobalAveragePool"]) == (0, 0, 1, 1, 1)
    np.testing.assert_allclose(run(prepared, frame())[0], run(model, frame())[0], rtol=1e-5, atol=1e-6)


def test_a_chain_that_is_not_understood_is_left_alone():
    per_pixel = np.random.default_rng(2).random((1, 3, HEIGHT, WIDTH), np.float32)
    graph = GraphWriter()
    planes = graph.op("Transpose", graph.op("Cast", "frame", to=onnx.TensorProto.FLOAT), perm=[2, 0, 1])
    image = graph.op("Unsqueeze", planes, graph.integers(0))
    graph.op("Sub", image, graph.constant("background", per_pixel), name="y")
    model = graph.model("hr", {"frame": ("uint8", (HEIGHT, WIDTH, 3))}, {"y": ("float32", (1, 3, HEIGHT, WIDTH))})
    assert prepared_graph(model) == model


@pytest.mark.parametrize("role", [Role.HR, Role.LR])
def test_exported_graphs_are_understood(own_bundle, role):
    model = onnx.load(read_bundle(own_bundle).graph_path(role))
    prepared = prepared_graph(model)
    assert "scaled_rows" in {node.name for node in prepared.graph.node}
    for one, other in zip(run(prepared, frame(90, 122)), run(model, frame(90, 122)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def averaging(**window):
    """An average pooling behind a convolution without a rectifier."""
    weight = np.random.default_rng(1).normal(size=(2, 3, 1, 1)).astype(np.float32)
    graph = GraphWriter()
    planes = graph.op("Transpose", graph.op("Cast", "frame", to=onnx.TensorProto.FLOAT), perm=[2, 0, 1])
    image = graph.op("Unsqueeze", planes, graph.integers(0))
    graph.op("AveragePool", graph.op("Conv", image, graph.constant("w", weight)), name="y", **window)
    model = graph.model("hr", {"frame": ("uint8", (HEIGHT, WIDTH, 3))}, {"y": ("float32", (1, 2, "h", "w"))})
    return onnx.shape_inference.infer_shapes(model)


COUNTED = {
    "padded": {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4},
    "rounded up": {"kernel_shape": [5, 3], "strides": [5, 3], "ceil_mode": 1},
    "both": {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4, "ceil_mode": 1},
    "uneven": {"kernel_shape": [3, 3], "pads": [0, 1, 2, 1]},
}


@pytest.mark.parametrize("window", COUNTED.values(), ids=COUNTED)
def test_padding_that_counts_is_an_operator_of_its_own(window):
    model = averaging(**window, count_include_pad=1)
    prepared = prepared_graph(model)
    (pool,) = [node for node in prepared.graph.node if node.op_type == "AveragePool"]
    assert {"count_include_pad", "pads"}.isdisjoint(entry.name for entry in pool.attribute)
    assert sum(node.op_type == "Pad" for node in prepared.graph.node) == ("pads" in window)
    np.testing.assert_allclose(run(prepared, frame())[0], run(model, frame())[0], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    "window",
    [
        {"kernel_shape": [2, 2], "strides": [2, 2], "count_include_pad": 1},
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4},
        {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER", "count_include_pad": 1},
        {"kernel_shape": [2, 2], "strides": [3, 3], "pads": [1] * 4, "ceil_mode": 1, "count_include_pad": 1},
    ],
    ids=["no padding", "not counted", "automatic", "a window begins in the padding"],
)
def test_other_averages_are_left_alone(window):
    pools = [
        [node for node in model.graph.node if node.op_type in ("Pad", "AveragePool")]
        for model in (averaging(**window), prepared_graph(averaging(**window)))
    ]
    assert pools[0] == pools[1]
