"""Which parts of a graph compute in integers, and which stay in float."""

from dataclasses import dataclass

import numpy as np
import onnx

from edge_arseg.compiler.onnx_graph import OnnxGraph, node_id
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role

WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""Operators whose products are worth int8. What is called a layer here is one node of these."""

BETWEEN = (
    *("Relu", "Clip", "LeakyRelu", "Sigmoid", "Add", "Mul", "Concat", "MaxPool", "AveragePool", "GlobalAveragePool"),
    *("Resize", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split", "Pad"),
)
"""Operators that ONNX Runtime also has in int8, so that nothing goes back to float between two layers."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The parts of a graph that may compute in integers, by name of the node, in the order of computation.

    Attributes:
        weighted: layers: convolutions and products with constant weights.
        between: what lies between them.
    """

    weighted: tuple[str, ...]
    between: tuple[str, ...]


def layers_from_graph(model: onnx.ModelProto, role: Role) -> Layers:
    """Sort the nodes of a graph.

    These always stay in float:

    - the classifier and all behind it, up to the class map;
    - products of two activations, which are attention;
    - products with averaging matrices, which pool the coarsest feature to a few pixels;
    - in ``fuse`` all but the three depthwise convolutions, so warp and attention too;
    - what comes in front of the first layer.
    """
    graph = OnnxGraph(model)
    closed = _decoder(graph)
    layers = [
        node
        for node in graph.nodes
        if node.op_type in WEIGHTED
        and node_id(node) not in closed
        and _has_weights(graph, node)
        and not (role is Role.FUSE and node.op_type != "Conv")
    ]
    if role is Role.FUSE:
        return Layers(tuple(node.name for node in layers), ())
    reached = {node_id(node) for layer in layers for node in graph.behind(layer.output)}
    between = [
        node.name
        for node in graph.nodes
        if node.op_type in BETWEEN and node_id(node) in reached and node_id(node) not in closed
    ]
    return Layers(tuple(node.name for node in layers), tuple(between))


def _has_weights(graph: OnnxGraph, node: onnx.NodeProto) -> bool:
    """Whether a node multiplies by weights: constants, but not an average (no entry below 0, each sum 1)."""
    weights = graph.constants.get(node.input[1])
    if weights is None or node.op_type != "MatMul":
        return weights is not None
    return bool(weights.min() < 0.0 or not np.allclose(weights.sum(axis=-2), 1.0, atol=1e-5))


def _decoder(graph: OnnxGraph) -> set[str]:
    """Return the classifier, the last convolution in front of the class map, and all nodes behind it."""
    if names.CLASS_MAP not in graph.outputs:
        return set()
    node = graph.producer(names.CLASS_MAP)
    while node is not None and node.op_type not in WEIGHTED:
        node = graph.producer(node.input[0])
    if node is None:
        return set()
    return {node_id(node), *(node_id(follower) for follower in graph.behind(node.output))}


def observed_tensors(model: onnx.ModelProto, layers: Layers) -> list[str]:
    """Return the activations whose ranges are needed: what layers and the nodes between them read and write.

    Left out is what a layer writes for one rectifier alone: integers saturate at the rectifier's limits, so its result
    is what counts.
    """
    graph = OnnxGraph(model)
    wanted: dict[str, None] = {}
    for node in graph.nodes:
        if node.name in layers.weighted or node.name in layers.between:
            wanted.update(dict.fromkeys(name for name in (*node.input, *node.output) if name))
    typed = _floats(model)
    return [name for name in wanted if name in typed and name not in graph.constants and rectified(graph, name) is None]


def rectified(graph: OnnxGraph, name: str) -> str | None:
    """Return what a rectifier makes of a tensor that it alone reads; ``None`` where there is no such rectifier."""
    reader = graph.only_consumer(name)
    return reader.output[0] if reader is not None and reader.op_type in ("Relu", "Clip") else None


def _floats(model: onnx.ModelProto) -> set[str]:
    inferred = onnx.shape_inference.infer_shapes(model)
    values = (*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output)
    kinds = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    return {value.name for value in values if value.type.tensor_type.elem_type in kinds}
