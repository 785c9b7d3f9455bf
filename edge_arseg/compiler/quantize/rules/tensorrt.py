"""What TensorRT wants of an int8 graph beyond quantized layers, so that it fuses what belongs together.

A new rule is a function here and its name in one of the two tuples at the end.
"""

from collections.abc import Callable

import onnx

from edge_arseg.compiler.onnx_graph import OnnxGraph
from edge_arseg.compiler.quantize.rules.layers import WEIGHTED


def residual_inputs(model: onnx.ModelProto, quantized: tuple[str, ...]) -> list[str]:
    """Return the input of each residual sum that TensorRT wants in int8.

    TensorRT fuses a convolution with the sum behind it and its rectifier where the *other* summand comes in int8. Where
    both are convolutions (a shortcut with weights), the one with fewer layers in front of it is the shortcut.

    Args:
        model: the graph.
        quantized: names of the layers in int8.
    """
    graph = OnnxGraph(model)
    depth = _depths(graph)
    found: list[str] = []
    for node in graph.nodes:
        if node.op_type != "Add" or any(name in graph.constants for name in node.input):
            continue
        ends = [name for name in node.input if _fusable(graph, name, quantized)]
        if ends:
            main = max(ends, key=lambda name: depth[name])
            found.extend(name for name in node.input if name != main)
    return found


def shared_scales(model: onnx.ModelProto) -> list[set[str]]:
    """Return the groups of tensors that shall have one scale: inputs and output of each concatenation.

    Groups that overlap are one. TensorRT moves a quantization behind a concatenation in front of it, which it can only
    do where the scales are equal.
    """
    groups: list[set[str]] = []
    graph = OnnxGraph(model)
    for node in graph.nodes:
        if node.op_type == "Concat" and not any(name in graph.constants for name in node.input):
            group = {*node.input, *node.output}
            for other in [known for known in groups if known & group]:
                groups.remove(other)
                group |= other
            groups.append(group)
    return groups


def _fusable(graph: OnnxGraph, name: str, quantized: tuple[str, ...]) -> bool:
    """Whether a tensor is what a quantized convolution writes for one reader alone."""
    node = graph.producer(name)
    return node is not None and node.name in quantized and graph.only_consumer(name) is not None


def _depths(graph: OnnxGraph) -> dict[str, int]:
    """Return the largest number of layers in front of each tensor, its own included."""
    depth: dict[str, int] = {}
    for node in graph.nodes:
        own = max((depth.get(name, 0) for name in node.input), default=0) + (node.op_type in WEIGHTED)
        depth.update(dict.fromkeys(node.output, own))
    return depth


INPUT_RULES: tuple[Callable[[onnx.ModelProto, tuple[str, ...]], list[str]], ...] = (residual_inputs,)
"""Each returns activations to quantize beside those that layers read, from a graph and its layers in int8."""

SCALE_RULES: tuple[Callable[[onnx.ModelProto], list[set[str]]], ...] = (shared_scales,)
"""Each returns groups of tensors that shall share a scale."""
