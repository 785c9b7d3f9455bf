"""Constants of an ONNX graph, also those that are kept as integers, as the floats that they stand for."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

Constants = dict[str, NDArray[np.generic]]

_QUANTIZED = "_quantized"
"""What ONNX Runtime's quantizer puts behind the name of a constant that it makes integers of."""


def constants_from_graph(model: onnx.ModelProto) -> Constants:
    """Return the constants of a graph by name, in their types.

    What a ``DequantizeLinear`` makes of a constant counts as one: a float array, under the name of the node's output.
    """
    from onnx.reference import ReferenceEvaluator

    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    opsets = {entry.domain: entry.version for entry in model.opset_import}
    floats = {}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in constants:
            given = {name: constants[name] for name in node.input}
            (floats[node.output[0]],) = ReferenceEvaluator(node, opsets=opsets).run(None, given)
    return constants | floats


def names_before(model: onnx.ModelProto) -> dict[str, str]:
    """Return what constants were called before they were quantized, by what a ``DequantizeLinear`` makes of them."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return {
        node.output[0]: node.input[0].removesuffix(_QUANTIZED)
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in constants
    }
