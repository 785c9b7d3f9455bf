"""An int8 graph as the float graph that it stands for.

Weights and biases keep the values that they were rounded to. Activations are no longer rounded: the pairs of
``QuantizeLinear`` and ``DequantizeLinear`` are taken off. ONNX Runtime's quantizer leaves out a rectifier where
integers saturate at its limits, so a pair whose integers begin at zero becomes a ``Clip``.
"""

import math

import numpy as np
import onnx

from edge_arseg.compiler.onnx_graph import OnnxGraph, attribute
from edge_arseg.errors import ExportError
from edge_arseg.network.checkpoint.graph_constants import constants_from_graph, names_before

PASSING = (
    *("Concat", "MaxPool", "AveragePool", "GlobalAveragePool", "Resize"),
    *("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split"),
)
"""Operators whose results lie between the least and the largest value that they read."""
CLIPPED = "_clipped"
"""Ending of the name of what a ``Clip`` in a pair's place makes."""


def float_from_qdq(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy of a graph without integers between its nodes; it computes the same but for their rounding.

    Inputs and outputs keep their names and types, and constants have the names that they had before ``quantize``. A
    graph without ``QuantizeLinear`` comes back as it is.

    Args:
        model: an int8 graph as ``quantize`` writes it.

    Raises:
        ExportError: a node computes with the integers themselves.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph, floats, before_rounding = OnnxGraph(copy), constants_from_graph(copy), names_before(copy)
    _check_pairs(graph)
    kept: list[onnx.NodeProto] = []
    renamed: dict[str, str] = {}
    clipped: set[str] = set()
    largest: dict[str, float] = {}  # of activations that are never negative
    for node in graph.nodes:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            kept.append(node)
        elif node.op_type == "DequantizeLinear":
            name, before = node.output[0], graph.producer(node.input[0])
            if before is None:
                constant = before_rounding[name]
                if constant not in graph.constants:
                    graph.add_constant(constant, floats[name])
                if constant != name:
                    renamed[name] = constant
                continue
            source, top = before.input[0], _top(graph, before)
            if top is not None:
                largest[name] = top
            if top is not None and not _is_within(graph, source, largest, top):
                # Another quantization gives its own nodes the names that this one's have.
                result = name if name in graph.outputs or f"{source}{CLIPPED}" in clipped else f"{source}{CLIPPED}"
                clipped.add(result)
                if result != name:
                    renamed[name] = result
                kept.append(_clip(graph, source, result, top, floats[before.input[1]].dtype))
            elif name in graph.outputs and graph.producer(source) is not None and source not in graph.outputs:
                renamed[source] = name
            elif name in graph.outputs:
                kept.append(onnx.helper.make_node("Identity", [source], [name], name=f"{name}_identity"))
            else:
                renamed[name] = source
    for node in kept:
        node.input[:] = [_last(renamed, name) for name in node.input]
        node.output[:] = [_last(renamed, name) for name in node.output]
    del copy.graph.node[:]
    copy.graph.node.extend(kept)
    graph.drop_unused()
    copy.graph.ClearField("value_info")
    onnx.checker.check_model(copy, full_check=True)
    return copy


def _check_pairs(graph: OnnxGraph) -> None:
    """Refuse a graph in which integers are more than what stands between a pair."""
    for node in graph.nodes:
        others: list[onnx.NodeProto] = []
        if node.op_type == "QuantizeLinear":
            others = [reader for reader in graph.consumers(node.output[0]) if reader.op_type != "DequantizeLinear"]
        elif node.op_type == "DequantizeLinear" and node.input[0] not in graph.constants:
            before = graph.producer(node.input[0])
            others = [] if before is not None and before.op_type == "QuantizeLinear" else [node]
        if others:
            raise ExportError(
                f"{graph.model.graph.name}: {others[0].op_type} {others[0].name} computes with integers, expected "
                "floats between DequantizeLinear and QuantizeLinear; start from the float32 bundle that "
                "`edge-arseg export` made"
            )


def _top(graph: OnnxGraph, quantize: onnx.NodeProto) -> float | None:
    """Return the largest value that integers stand for, where the least is 0; else ``None``."""
    scale = graph.constants[quantize.input[1]]
    zero = graph.constants[quantize.input[2]] if len(quantize.input) > 2 else np.zeros((), np.uint8)
    if zero.any() or not np.issubdtype(zero.dtype, np.unsignedinteger):
        return None
    return float(np.max(scale)) * int(np.iinfo(zero.dtype).max)


def _is_within(graph: OnnxGraph, name: str, largest: dict[str, float], top: float) -> bool:
    """Whether a value lies from 0 to ``top`` anyway, by what it is made of."""
    node = graph.producer(name)
    if node is None or node.op_type not in PASSING or attribute(node, "mode") == b"cubic":
        return False
    read = [one for one in node.input if one and one not in graph.constants]
    return all(largest.get(one, math.inf) <= top for one in read)


def _clip(graph: OnnxGraph, source: str, name: str, top: float, dtype: np.dtype) -> onnx.NodeProto:
    least = graph.add_constant(f"{name}_least", np.array(0.0, dtype))
    most = graph.add_constant(f"{name}_most", np.array(top, dtype))
    return onnx.helper.make_node("Clip", [source, least, most], [name], name=f"{name}_clip")


def _last(renamed: dict[str, str], name: str) -> str:
    while name in renamed:
        name = renamed[name]
    return name
