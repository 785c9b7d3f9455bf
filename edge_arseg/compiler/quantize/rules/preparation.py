"""A float graph as it is quantized: the same function, with fewer steps in float around the integers.

All changes are exact up to the rounding of float32:

- the normalisation of the frame, a chain of operations with constants, becomes one product and one sum. They see the
  planes as rows of a matrix: ONNX Runtime would otherwise reorder them to have the channels last, as its integer
  convolutions want them, and scale channels there ten times slower;
- a mean over a whole plane becomes ``GlobalAveragePool``, which engines have in int8;
- an average pooling that counts its padding gets zeros by a ``Pad`` in front of it, and divides by the pixels that
  are there: in integers OpenVINO does not pad with zeros, and ONNX Runtime counts what lies behind the padding
  (``findings/openvino_average_pool_adds_zero_points.sh``, ``findings/average_pool_rounded_up_loses_its_border.sh``);
- each convolution gets a bias of its own, of zeros where it had none, so that it can be corrected.

A new change is a function here and its name in ``REWRITES``.
"""

from collections.abc import Callable
from typing import cast

import numpy as np
import onnx

from edge_arseg.compiler.graph_writer import GraphWriter
from edge_arseg.compiler.onnx_graph import OnnxGraph, attribute, shapes_from_model
from edge_arseg.spec import tensor as names

_AFFINE = ("Add", "Sub", "Mul", "Div")


def prepared_graph(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy to quantize; names of the tensors that stay are kept."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = OnnxGraph(copy)
    for rewrite in REWRITES:
        rewrite(graph)
    onnx.checker.check_model(copy, full_check=True)
    return copy


def _pool_planes(graph: OnnxGraph) -> None:
    for node in graph.nodes:
        if node.op_type != "ReduceMean" or len(node.input) < 2 or attribute(node, "keepdims", 1) != 1:
            continue
        axes = graph.constants.get(node.input[1])
        if axes is not None and sorted(int(axis) % 4 for axis in axes) == [2, 3]:
            node.op_type = "GlobalAveragePool"
            del node.input[1:]
            del node.attribute[:]
    graph.drop_unused()
    graph.index()


def _own_paddings(graph: OnnxGraph) -> None:
    for node in list(graph.nodes):
        if node.op_type != "AveragePool" or not attribute(node, "count_include_pad", 0):
            continue
        kept = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
        pads, rounded_up = kept.pop("pads", [0, 0, 0, 0]), kept.get("ceil_mode", 0)
        if kept.get("auto_pad", b"NOTSET") != b"NOTSET" or not (any(pads) or rounded_up):
            continue
        if any(pads) and rounded_up and _begins_behind(graph, node, pads):
            continue
        del kept["count_include_pad"]
        writer, x, half = GraphWriter(), node.input[0], len(pads) // 2
        if any(pads):
            both = writer.constant(f"{node.output[0]}_pads", np.array([0, 0, *pads[:half], 0, 0, *pads[half:]]))
            x = writer.op("Pad", x, both, name=f"{node.output[0]}_padded")
        writer.op("AveragePool", x, name=node.output[0], **kept)
        graph.replace([node], writer)


def _begins_behind(graph: OnnxGraph, node: onnx.NodeProto, pads: list[int]) -> bool:
    """Whether a last window was left out that begins in the padding: with zeros of a ``Pad`` there it would count."""
    sides, half = shapes_from_model(graph.model)[node.input[0]][1], len(pads) // 2
    kernel, strides, dilations = (
        cast("list[int]", attribute(node, name, [1] * half)) for name in ("kernel_shape", "strides", "dilations")
    )
    for axis, side in enumerate(sides[-half:]):
        padded = side + pads[axis] + pads[axis + half]
        spare = padded - dilations[axis] * (kernel[axis] - 1) - 1
        last = -(-spare // strides[axis]) * strides[axis]
        if side + pads[axis] <= last < padded:
            return True
    return False


def _fold_normalisation(graph: OnnxGraph) -> None:
    """Fold the chain of operations with constants behind the frame's planes."""
    planes = _planes(graph)
    if planes is None:
        return
    chain, scale, offset = _affine_chain(graph, planes)
    if not chain:
        return
    result = chain[-1].output[0]
    writer = GraphWriter()
    shape = shapes_from_model(graph.model)[result][1]
    rows = writer.op("Reshape", planes, writer.constant("planes_as_rows", np.array([3, -1])), name="frame_rows")
    factor = writer.constant("normalisation_scale", scale[:, None].astype(np.float32))
    shift = writer.constant("normalisation_offset", offset[:, None].astype(np.float32))
    normalised = writer.op("Add", writer.op("Mul", rows, factor, name="scaled_rows"), shift, name="normalised_rows")
    writer.op("Reshape", normalised, writer.constant("rows_as_planes", np.array(shape)), name=result)
    graph.replace(chain, writer)


def _planes(graph: OnnxGraph) -> str | None:
    """Return the batch of planes that ``Cast``, ``Transpose``, ``Unsqueeze`` and, in ``lr``, ``Resize`` make."""
    name = names.FRAME
    for kind in ("Cast", "Transpose", "Unsqueeze"):
        node = graph.only_consumer(name)
        if node is None or node.op_type != kind:
            return None
        if kind == "Transpose" and attribute(node, "perm") != [2, 0, 1]:
            return None
        name = node.output[0]
    reader = graph.only_consumer(name)
    return reader.output[0] if reader is not None and reader.op_type == "Resize" else name


def _affine_chain(graph: OnnxGraph, name: str) -> tuple[list[onnx.NodeProto], np.ndarray, np.ndarray]:
    """Return the operations with constants that follow ``name``, as ``scale * x + offset``, each ``[3]``."""
    chain: list[onnx.NodeProto] = []
    scale, offset = np.ones(3), np.zeros(3)
    while (node := graph.only_consumer(name)) is not None and node.op_type in _AFFINE and node.input[0] == name:
        constant = graph.constants.get(node.input[1])
        if constant is None or constant.size not in (1, 3) or constant.shape not in ((), (1,), (3, 1, 1), (1, 3, 1, 1)):
            break
        value = np.broadcast_to(constant.reshape(-1).astype(np.float64), 3)
        if node.op_type in ("Mul", "Div"):
            factor = value if node.op_type == "Mul" else 1.0 / value
            scale, offset = scale * factor, offset * factor
        else:
            offset = offset + (value if node.op_type == "Add" else -value)
        chain.append(node)
        name = node.output[0]
    return chain, scale, offset


def _own_biases(graph: OnnxGraph) -> None:
    for node in graph.nodes:
        weights = graph.constants.get(node.input[1]) if node.op_type == "Conv" else None
        if weights is None:
            continue
        name = node.input[2] if len(node.input) > 2 else ""
        if not name or (name in graph.constants and graph.only_consumer(name) is None):
            value = graph.constants[name] if name else np.zeros(len(weights), weights.dtype)
            own = graph.add_constant(f"{node.name}_own_bias", value)
            del node.input[2:]
            node.input.append(own)
            graph.index()


REWRITES: tuple[Callable[[OnnxGraph], None], ...] = (_pool_planes, _own_paddings, _fold_normalisation, _own_biases)
"""What is changed, in this order."""
