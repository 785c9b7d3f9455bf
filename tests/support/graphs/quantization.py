"""Small float graphs to quantize, with known weights."""

import numpy as np
import onnx

from edge_arseg.compiler.graph_writer import GraphWriter

SHAPE = (1, 2, 4, 4)


def conv(graph, x, name, *, weight=None, kernel=1, outputs=2, inputs=2):
    weight = (
        np.random.default_rng(len(name)).normal(size=(outputs, inputs, kernel, kernel)) if weight is None else weight
    )
    pads = 4 * [kernel // 2]
    return graph.op(
        "Conv",
        x,
        graph.constant(f"{name}_w", np.asarray(weight, np.float32)),
        graph.constant(f"{name}_b", np.zeros(len(weight), np.float32)),
        name=name,
        pads=pads,
    )


def one_conv() -> onnx.ModelProto:
    """A convolution whose weights and ranges have scales that can be written down."""
    graph = GraphWriter()
    weight = np.array([[1.27, -0.5], [0.0254, 0.0127]])[:, :, None, None]
    graph.op("Relu", conv(graph, "x", "conv", weight=weight), name="y")
    return graph.model("hr", {"x": ("float32", SHAPE)}, {"y": ("float32", SHAPE)})


def identity_shortcut() -> onnx.ModelProto:
    """``relu(second(relu(first(x))) + x)`` behind a stem."""
    graph = GraphWriter()
    x = graph.op("Relu", conv(graph, "x", "stem"), name="stem_relu")
    inner = graph.op("Relu", conv(graph, x, "first"), name="first_relu")
    graph.op("Relu", graph.op("Add", conv(graph, inner, "second"), x, name="sum"), name="y")
    return graph.model("hr", {"x": ("float32", SHAPE)}, {"y": ("float32", SHAPE)})


def weighted_shortcut() -> onnx.ModelProto:
    """The same with a convolution in the shortcut, written in front of the others as torch traces it."""
    graph = GraphWriter()
    x = graph.op("Relu", conv(graph, "x", "stem"), name="stem_relu")
    shortcut = conv(graph, x, "shortcut")
    inner = graph.op("Relu", conv(graph, x, "first"), name="first_relu")
    graph.op("Relu", graph.op("Add", shortcut, conv(graph, inner, "second"), name="sum"), name="y")
    return graph.model("hr", {"x": ("float32", SHAPE)}, {"y": ("float32", SHAPE)})


def joined() -> onnx.ModelProto:
    """Two rectified convolutions of very different size, concatenated and convolved; one is used on its own too."""
    graph = GraphWriter()
    one = graph.op("Relu", conv(graph, "x", "one"), name="one_relu")
    two = graph.op("Relu", conv(graph, "x", "two"), name="two_relu")
    both = graph.op("Concat", one, two, name="both", axis=1)
    after = conv(graph, both, "after", inputs=4)
    graph.op("Add", after, conv(graph, two, "beside"), name="y")
    return graph.model("hr", {"x": ("float32", SHAPE)}, {"y": ("float32", SHAPE)})


def pooled() -> onnx.ModelProto:
    """A convolution between averages over a grid, written as products with constants, and a product with weights."""
    graph = GraphWriter()
    averages = graph.constant("averages", np.repeat(np.eye(2), 2, axis=0).astype(np.float32) / 2)  # [4, 2]
    coarse = graph.op("MatMul", graph.op("Relu", conv(graph, "x", "conv"), name="relu"), averages, name="pool")
    graph.op("MatMul", coarse, graph.constant("dense_w", np.array([[1.0, -2.0], [0.5, 3.0]], np.float32)), name="y")
    return graph.model("hr", {"x": ("float32", SHAPE)}, {"y": ("float32", (1, 2, 4, 2))})
