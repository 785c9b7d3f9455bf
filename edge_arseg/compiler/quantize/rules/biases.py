"""Biases that make up for what rounding the weights does to the mean of each channel.

Rounded weights move the mean of each output channel. By how much is known: the error of the weights times the mean of
what the layer reads. The bias takes it back, and a frame costs no more. It matters most in depthwise layers, where a
channel has 9 or 25 weights whose errors do not cancel (Nagel et al. 2019, "Data-Free Quantization Through Weight
Equalization and Bias Correction", section 4.2).
"""

from collections.abc import Iterator, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from edge_arseg.compiler.onnx_graph import OnnxGraph, attribute, shapes_from_model

Means = Mapping[str, NDArray[np.float64]]
"""Mean of each channel, ``[C]``, of tensors of a graph by the tensor's name."""

CORRECTED = "Conv"
"""Type of the layers: others have no bias, or outputs that do not all see the same weights."""


def correct_biases(quantized: onnx.ModelProto, model: onnx.ModelProto, means: Means) -> None:
    """Change the biases of a quantized graph, which are constants, int32 or float.

    At the border of a plane, where a convolution pads with zeros, a weight meets nothing. The mean of what it meets
    elsewhere is taken to be that of the whole plane.

    Args:
        quantized: with Q/DQ nodes; changed in place.
        model: that it was made from. Names of layers and of what they read are the same in both.
        means: of what layers read. A layer whose mean is missing is left as it is; so is one without a bias.
    """
    graph, floats = OnnxGraph(quantized), OnnxGraph(model)
    original = {node.name: node for node in floats.nodes if node.op_type == CORRECTED and len(node.input) > 2}
    tensors = {tensor.name: tensor for tensor in quantized.graph.initializer}
    shapes = shapes_from_model(model)
    for node, weights in _rounded(graph):
        before = original.get(node.name)
        if before is None or before.input[0] not in means:
            continue
        error = weights - floats.constants[before.input[1]].astype(np.float64)
        sides = [shapes[name][1][2:] for name in (before.input[0], before.output[0])]
        for axis, (size, places) in enumerate(zip(*sides, strict=True)):
            met = share_inside(before, axis, size=size, places=places, taps=error.shape[2 + axis])
            error *= met.reshape(-1, *[1] * (error.ndim - 3 - axis))
        shift = mean_shift(error, means[before.input[0]], groups=_numbers(before, "group", [1])[0])
        _take_back(graph, tensors, node.input[2], shift)


def mean_shift(error: NDArray[np.float64], mean: NDArray[np.float64], *, groups: int) -> NDArray[np.float64]:
    """Return by how much the mean of each output channel of a convolution changes, ``[O]``.

    Args:
        error: of the weights, ``[O, I / groups, ...]``.
        mean: of each input channel, ``[I]``.
        groups: of the convolution.
    """
    taps = error.reshape(*error.shape[:2], -1).sum(axis=2)
    seen = np.repeat(mean.reshape(groups, -1), len(taps) // groups, axis=0)
    return np.asarray((taps * seen).sum(axis=1))


def share_inside(node: onnx.NodeProto, axis: int, *, size: int, places: int, taps: int) -> NDArray[np.float64]:
    """Return the share of the places of an output at which each weight of a convolution meets a value, not padding.

    Args:
        node: the convolution.
        axis: 0 for rows, 1 for columns.
        size: of the input along that axis.
        places: of the output.
        taps: of the kernel; ``[taps]`` is returned.
    """
    stride, spread, pad = (
        _numbers(node, *one)[axis] for one in (("strides", [1, 1]), ("dilations", [1, 1]), ("pads", [0] * 4))
    )
    met = np.arange(places)[:, None] * stride - pad + np.arange(taps) * spread
    return np.asarray(((met >= 0) & (met < size)).mean(axis=0))


def _numbers(node: onnx.NodeProto, name: str, usual: list[int]) -> list[int]:
    """An attribute of whole numbers, as a list also where it is one."""
    found = attribute(node, name, usual)
    return [found] if isinstance(found, int) else [int(value) for value in found]  # type: ignore[attr-defined]


def _rounded(graph: OnnxGraph) -> Iterator[tuple[onnx.NodeProto, NDArray[np.float64]]]:
    """Yield each layer with a bias and integer weights, and those weights as floats again."""
    for node in graph.nodes:
        if node.op_type != CORRECTED or len(node.input) < 3:
            continue
        made = graph.producer(node.input[1])
        if made is None or made.op_type != "DequantizeLinear":
            continue
        integers, scale = (graph.constants[name].astype(np.float64) for name in made.input[:2])
        yield node, integers * scale.reshape(-1, *[1] * (integers.ndim - 1))


def _take_back(graph: OnnxGraph, tensors: dict[str, onnx.TensorProto], bias: str, shift: NDArray[np.float64]) -> None:
    """Subtract a shift from a bias, in the unit that it is kept in."""
    made = graph.producer(bias)
    if made is None:
        name, old = bias, graph.constants[bias]
        new = old - shift
    else:
        name, old = made.input[0], graph.constants[made.input[0]]
        limits = np.iinfo(old.dtype)
        new = np.clip(np.rint(old - shift / graph.constants[made.input[1]]), limits.min, limits.max)
    tensors[name].CopyFrom(numpy_helper.from_array(new.astype(old.dtype), name))
