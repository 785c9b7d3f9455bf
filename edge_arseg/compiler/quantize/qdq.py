"""Ranges into explicit ``QuantizeLinear`` and ``DequantizeLinear`` nodes.

ONNX Runtime's quantizer places them, as a ``Dialect`` says for the engine library that reads them.
"""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import chain

import numpy as np
import onnx
from onnxruntime.quantization import QuantType
from onnxruntime.quantization.calibrate import TensorData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from onnxruntime.quantization.quant_utils import add_infer_metadata

from edge_arseg.compiler.onnx_graph import OnnxGraph, shapes_from_model
from edge_arseg.compiler.quantize.calibrate.ranges import Range, Ranges
from edge_arseg.compiler.quantize.dialects import ONNX_RUNTIME, Dialect
from edge_arseg.compiler.quantize.rules.biases import Means, correct_biases
from edge_arseg.compiler.quantize.rules.layers import WEIGHTED, Layers, rectified
from edge_arseg.errors import ExportError

SMALLEST_RANGE = 1e-6
"""A tensor that was always zero in calibration gets this range, so that its scale is not zero."""


def qdq_from_ranges(
    model: onnx.ModelProto,
    layers: Layers,
    ranges: Ranges,
    means: Means,
    *,
    dialect: Dialect = ONNX_RUNTIME,
    keep_float: Collection[str] = (),
) -> onnx.ModelProto:
    """Return a quantized copy of a prepared graph.

    Args:
        model: float32 or float16.
        layers: of that graph.
        ranges: of ``observed_tensors``.
        means: of what its convolutions read, to correct their biases by; see ``correct_biases``.
        dialect: of the engine library that the graph is for.
        keep_float: names of layers that stay in float.

    Raises:
        ExportError: a range is missing, or the result does not pass the dialect's checks.
    """
    weighted = tuple(name for name in layers.weighted if name not in keep_float)
    known = _with_shared(model, _with_rectified(OnnxGraph(model), ranges), dialect)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    if not weighted:
        return copy
    types = shapes_from_model(model)
    copy.CopyFrom(onnx.shape_inference.infer_shapes(model))
    add_infer_metadata(copy)  # or the quantizer infers shapes again, by way of a file
    data = {name: _tensor_data(value, types[name][0]) for name, value in known.items() if name in types}
    with _quiet():
        quantizer = QDQQuantizer(
            copy,
            per_channel=True,
            reduce_range=dialect.weight_bits == 7,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QInt8 if dialect.lowest < 0 else QuantType.QUInt8,
            tensors_range=data,
            nodes_to_quantize=[*weighted, *layers.between],
            nodes_to_exclude=[],
            op_types_to_quantize=[*WEIGHTED, *dialect.between],
            extra_options={
                "WeightSymmetric": True,
                "MinimumRealRange": SMALLEST_RANGE,
                "ActivationSymmetric": dialect.symmetric,
                "QuantizeBias": not dialect.float_biases,
                "OpTypesToExcludeOutputQuantization": list(dialect.float_outputs),
            },
        )
        for name in chain.from_iterable(rule(model, weighted) for rule in dialect.input_rules):
            quantizer.quantize_activation_tensor(name)
        try:
            quantizer.quantize_model()
        except (KeyError, ValueError) as error:
            raise ExportError(f"{model.graph.name}: a range is missing ({error}); gather the ranges again") from error
        quantizer.model.topological_sort()
    quantized = quantizer.model.model
    _tidy(quantized, model)
    correct_biases(quantized, model, means)
    onnx.checker.check_model(quantized, full_check=True)
    for check in dialect.checks:
        check(quantized)
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


def _with_shared(model: onnx.ModelProto, ranges: Ranges, dialect: Dialect) -> dict[str, Range]:
    """Give tensors that shall share a scale the union of their ranges."""
    known = dict(ranges)
    for group in chain.from_iterable(rule(model) for rule in dialect.scale_rules):
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
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)
