"""Ranges into explicit ``QuantizeLinear`` and ``DequantizeLinear`` nodes.

ONNX Runtime's quantizer places them, with options for each of two engines:

- ``uint8``, for ONNX Runtime on x86: asymmetric activations around every operator that has an integer kernel, biases in
  int32, so that each group of nodes becomes one integer kernel;
- ``int8``, for TensorRT: symmetric activations in front of layers alone, float biases and results, so that a
  convolution fuses with the sum and the rectifier behind it. Added here: residual inputs in int8, one scale for what a
  concatenation joins.

Weights are int8, symmetric, one scale per output channel, for both. With ``uint8`` they get 7 of the 8 bits, -64 to 64,
so that x86 without VNNI, which adds two products in 16 bits, computes the same sums; ``check_sums`` proves it of every
graph. With ``int8`` they keep 8: TensorRT adds in 32 bits.
"""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import QuantType
from onnxruntime.quantization.calibrate import TensorData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from onnxruntime.quantization.quant_utils import add_infer_metadata

from edge_arseg.compiler.onnx_graph import OnnxGraph, shapes_of
from edge_arseg.compiler.quantize.calibrate.ranges import Range, Ranges
from edge_arseg.compiler.quantize.rules.layers import (
    BETWEEN,
    WEIGHTED,
    Layers,
    rectified,
    residual_inputs,
    shared_scales,
)
from edge_arseg.compiler.quantize.rules.saturation import check_sums
from edge_arseg.errors import ExportError

ACTIVATIONS = ("uint8", "int8")
SMALLEST_RANGE = 1e-6
"""A tensor that was always zero in calibration gets this range, so that its scale is not zero."""

_COMMON: Mapping[str, Any] = {"WeightSymmetric": True, "MinimumRealRange": SMALLEST_RANGE}
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "uint8": {**_COMMON, "ActivationSymmetric": False},
    "int8": {
        **_COMMON,
        "ActivationSymmetric": True,
        "QuantizeBias": False,
        "OpTypesToExcludeOutputQuantization": list(WEIGHTED),
    },
}
_TYPES = {"uint8": QuantType.QUInt8, "int8": QuantType.QInt8}


def qdq_from_ranges(
    model: onnx.ModelProto,
    layers: Layers,
    ranges: Ranges,
    *,
    activations: str = "uint8",
    keep_float: Collection[str] = (),
) -> onnx.ModelProto:
    """Return a quantized copy of a prepared graph.

    Args:
        model: float32 or float16.
        layers: of that graph.
        ranges: of ``observed_tensors``.
        activations: ``uint8`` or ``int8``; see the module.
        keep_float: names of layers that stay in float.

    Raises:
        ExportError: a range is missing; or, with ``uint8``, two products can pass 16 bits.
    """
    weighted = tuple(name for name in layers.weighted if name not in keep_float)
    nodes = list(weighted)
    if activations == "uint8":
        nodes += layers.between
    graph = OnnxGraph(model)
    known = _with_rectified(graph, ranges)
    if activations == "int8":
        known = _with_shared(model, known)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if not weighted:
        return copy
    types = shapes_of(model)
    copy.CopyFrom(onnx.shape_inference.infer_shapes(model))
    add_infer_metadata(copy)  # or the quantizer infers shapes again, by way of a file
    data = {name: _tensor_data(value, types[name][0]) for name, value in known.items() if name in types}
    with _quiet():
        quantizer = QDQQuantizer(
            copy,
            per_channel=True,
            reduce_range=activations == "uint8",
            weight_qType=QuantType.QInt8,
            activation_qType=_TYPES[activations],
            tensors_range=data,
            nodes_to_quantize=nodes,
            nodes_to_exclude=[],
            op_types_to_quantize=[*WEIGHTED, *BETWEEN],
            extra_options=dict(_OPTIONS[activations]),
        )
        if activations == "int8":
            for name in residual_inputs(model, weighted):
                quantizer.quantize_activation_tensor(name)
        try:
            quantizer.quantize_model()
        except (KeyError, ValueError) as error:
            raise ExportError(f"{model.graph.name}: a range is missing ({error}); gather the ranges again") from error
        quantizer.model.topological_sort()
    quantized = quantizer.model.model
    _tidy(quantized, model)
    onnx.checker.check_model(quantized, full_check=True)
    if activations == "uint8":
        check_sums(quantized)
    return quantized


def _with_rectified(graph: OnnxGraph, ranges: Ranges) -> dict[str, Range]:
    """Add the range of what a layer writes for a rectifier: the rectifier's own."""
    known = dict(ranges)
    for node in graph.nodes:
        for name in node.output:
            result = rectified(graph, name)
            if result is not None and result in ranges:
                known.setdefault(name, ranges[result])
    return known


def _with_shared(model: onnx.ModelProto, ranges: Ranges) -> dict[str, Range]:
    """Give tensors that shall share a scale the union of their ranges."""
    known = dict(ranges)
    for group in shared_scales(model):
        members = [known[name] for name in group if name in known]
        if members:
            union = members[0]
            for member in members[1:]:
                union |= member
            known.update(dict.fromkeys(group, union))
    return known


def _tensor_data(values: Range, elem_type: int) -> TensorData:
    dtype = onnx.helper.tensor_dtype_to_np_dtype(elem_type)
    return TensorData(lowest=np.array(values.low, dtype), highest=np.array(values.high, dtype))


def _tidy(quantized: onnx.ModelProto, model: onnx.ModelProto) -> None:
    """Remove the quantizer's marks, so that equal ranges give equal files."""
    quantized.ClearField("metadata_props")
    quantized.graph.ClearField("value_info")
    quantized.producer_name, quantized.producer_version = model.producer_name, model.producer_version
    quantized.graph.name = model.graph.name


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the quantizer's advice on other tools away from the user."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
