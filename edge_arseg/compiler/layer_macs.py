"""MACs of each node of an ONNX graph, for the layers that an engine library made of them."""

from math import prod
from pathlib import Path

import onnx

from edge_arseg.compiler.onnx_graph import OnnxGraph

_FOLLOWERS = ("Relu", "LeakyRelu", "Clip", "Add", "QuantizeLinear", "DequantizeLinear")
"""What a library fuses into the convolution before it, so that the layer may have the name of their output."""


def macs_from_graph(path: Path) -> dict[str, tuple[str, int, int]]:
    """Count convolutions and matrix products, as ``cost_from_model`` does.

    Args:
        path: a graph with static shapes.

    Returns:
        By every name that a layer may have, the node that computes, its MACs, and how far the name is from it: 0 for
        its own and that of its output, 1 and more for those of what may be fused behind it.
    """
    model = onnx.shape_inference.infer_shapes(onnx.load(str(path)), data_prop=True)
    graph = OnnxGraph(model)
    values = [*model.graph.value_info, *model.graph.output, *model.graph.input]
    shapes = {value.name: [one.dim_value for one in value.type.tensor_type.shape.dim] for value in values}
    shapes |= {name: list(array.shape) for name, array in graph.constants.items()}
    found: dict[str, tuple[str, int, int]] = {}
    for node in graph.nodes:
        macs = _macs(node, shapes)
        if not macs:
            continue
        found[node.name] = node.name, macs, 0
        name, far = node.output[0], 0
        while True:
            found.setdefault(name, (node.name, macs, far))
            behind = graph.only_consumer(name)
            if behind is None or behind.op_type not in _FOLLOWERS:
                break
            far += 1
            found.setdefault(behind.name, (node.name, macs, far))
            name = behind.output[0]
    return found


def _macs(node: onnx.NodeProto, shapes: dict[str, list[int]]) -> int:
    if node.op_type == "Conv":
        return prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])
    if node.op_type == "MatMul":
        return prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
    return 0
