"""Float32 graphs as typed float16 graphs, as strongly typed TensorRT networks want them.

The types are in the graph, so nothing depends on flags of a builder. In float32 stay:

- the warp: positions in float16 are off by up to 0.12 pixels at a width of 960, and TensorRT's ``GridSample`` takes
  feature and positions in one type only;
- similarity and softmax of the attention: a sum over all channels, not divided by their root, can pass 65504.

``onnxruntime.transformers.float16`` (MIT) converts and puts the casts.
"""

import warnings

import onnx

from edge_arseg.compiler.onnx_graph import OnnxGraph, node_id
from edge_arseg.spec import tensor as names

OPSET_FOR_HALF = 19
"""From here on ``QuantizeLinear`` takes float16; ``GridSample`` is wrong in several TensorRT releases from 20 on."""


def fp16_from_fp32(model: onnx.ModelProto, *, features: str = "float32") -> onnx.ModelProto:
    """Return a copy that computes in float16.

    Args:
        model: float32.
        features: type of the features that enter and leave the graph; the flow stays float32.
    """
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    borders = [value.name for value in (*copy.graph.input, *copy.graph.output)]
    keep = [name for name in borders if name not in names.FEATURES_OF_GRAPHS or features == "float32"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of constants that float16 cannot tell from zero or infinity
        half = convert_float_to_float16(copy, keep_io_types=keep, node_block_list=_positions_and_similarity(copy))
    OnnxModel(half).topological_sort()  # the converter puts casts of inputs at the end
    half.opset_import[0].version = max(half.opset_import[0].version, OPSET_FOR_HALF)
    half.graph.ClearField("value_info")
    half.graph.name = model.graph.name
    onnx.checker.check_model(half, full_check=True)
    return half


def with_feature_type(model: onnx.ModelProto, features: str) -> onnx.ModelProto:
    """Return a copy whose features enter and leave as ``features``; those that are float16 already stay so."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if features == "float32":
        return copy
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    first, last = [], []
    for value in copy.graph.input:
        if value.name in names.FEATURES_OF_GRAPHS and value.type.tensor_type.elem_type == single:
            inner = f"{value.name}_float32"
            _rename(copy, value.name, inner)
            first.append(onnx.helper.make_node("Cast", [value.name], [inner], name=f"{inner}_cast", to=single))
            value.type.tensor_type.elem_type = half
    for value in copy.graph.output:
        if value.name in names.FEATURES_OF_GRAPHS and value.type.tensor_type.elem_type == single:
            inner = f"{value.name}_float32"
            _rename(copy, value.name, inner)
            last.append(onnx.helper.make_node("Cast", [inner], [value.name], name=f"{inner}_cast", to=half))
            value.type.tensor_type.elem_type = half
    nodes = [*first, *copy.graph.node, *last]
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    copy.graph.ClearField("value_info")
    onnx.checker.check_model(copy, full_check=True)
    return copy


def _rename(model: onnx.ModelProto, old: str, new: str) -> None:
    for node in model.graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]


def _positions_and_similarity(model: onnx.ModelProto) -> list[str]:
    """Names of the nodes that stay in float32."""
    graph = OnnxGraph(model)
    kept: set[str] = set()
    for node in graph.nodes:
        if node.op_type == "GridSample":
            flow = {node_id(follower) for follower in graph.behind([names.FLOW])}
            kept.update(other.name for other in graph.in_front(node) if node_id(other) in flow)
            kept.add(node.name)
        if node.op_type == "Softmax":
            kept.update(other.name for other in graph.in_front(node, until=("Conv",)))
            kept.add(node.name)
    return sorted(kept)
