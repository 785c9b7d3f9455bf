"""Whether sums of 8-bit products fit in 16 bits, shown from the weights of a graph.

x86 without VNNI multiplies uint8 by int8 with ``vpmaddubsw``: it adds two neighbouring products into 16 bits *with
saturation* before it widens them. ONNX Runtime (MLAS) and OpenVINO (oneDNN) both pack weights so that the neighbours
belong to one output channel; which two of its weights meet depends on library, kernel and CPU. So every two weights of
a channel are taken to meet: where the two largest fit, every packing is exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx

from edge_arseg.compiler.onnx_graph import OnnxGraph, attribute
from edge_arseg.compiler.quantize.rules.layers import WEIGHTED
from edge_arseg.errors import ExportError

LARGEST_SUM = 32767
"""Largest value of 16 bits with sign."""

LARGEST_ACTIVATION = 255
"""Largest uint8."""

_RESHAPING = ("Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity")


@dataclass(frozen=True, slots=True)
class PairSum:
    """The largest sum of two products that a layer can come to.

    Attributes:
        layer: name of the node.
        weight: name of its weights.
        channel: the output channel; -1 where it cannot be told, because the weights are reshaped in the graph.
        first, second: the two largest magnitudes among the channel's weights.
    """

    layer: str
    weight: str
    channel: int
    first: int
    second: int

    @property
    def value(self) -> int:
        """255 times both."""
        return LARGEST_ACTIVATION * (self.first + self.second)


def pair_sums(model: onnx.ModelProto) -> list[PairSum]:
    """Return the largest sum of each layer with 8-bit weights, in the order of computation."""
    graph = OnnxGraph(model)
    return [
        _largest(node.name, weight, channels)
        for node in graph.nodes
        if node.op_type in WEIGHTED
        for weight, channels in _kernels(graph, node)
    ]


def check_sums(model: onnx.ModelProto) -> None:
    """Refuse a graph in which two products can pass 16 bits.

    Raises:
        ExportError: names every layer and what its sum comes to.
    """
    wrong = [entry for entry in pair_sums(model) if entry.value > LARGEST_SUM]
    if wrong:
        lines = "\n".join(
            f"  {entry.layer} ({entry.weight}), channel {entry.channel}: 255 * ({entry.first} + {entry.second}) = "
            f"{entry.value}"
            for entry in wrong
        )
        raise ExportError(
            f"{model.graph.name}: sums of two products pass {LARGEST_SUM}, so that x86 without VNNI computes something "
            f"else\n{lines}\nQuantize the float32 bundle again: weights get 7 bits"
        )


def weight_bits(model: onnx.ModelProto) -> int | None:
    """Return 7 where every pair of products fits in 16 bits, 8 where one does not; ``None`` without 8-bit weights."""
    values = [entry.value for entry in pair_sums(model)]
    if not values:
        return None
    return 7 if max(values) <= LARGEST_SUM else 8


def _kernels(graph: OnnxGraph, node: onnx.NodeProto) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the 8-bit weights of a layer, ``[output channels, weights of a channel] int64``; one row where unknown."""
    for position, name in enumerate(node.input[:2]):
        producer, reshaped = graph.producer(name), False
        while producer is not None and producer.op_type in _RESHAPING:
            producer, reshaped = graph.producer(producer.input[0]), True
        if producer is None or producer.op_type != "DequantizeLinear":
            continue
        weights = graph.constants.get(producer.input[0])
        if weights is None or weights.dtype != np.int8:
            continue
        values = weights.astype(np.int64)
        yield producer.input[0], values.reshape(1, -1) if reshaped else _channels(node, position, values)


def _channels(node: onnx.NodeProto, position: int, weights: np.ndarray) -> np.ndarray:
    if node.op_type == "Conv":
        return weights.reshape(weights.shape[0], -1)
    if node.op_type == "ConvTranspose":
        group = int(attribute(node, "group", 1))  # type: ignore[call-overload]
        grouped = weights.reshape(group, weights.shape[0] // group, weights.shape[1], -1)
        return grouped.transpose(0, 2, 1, 3).reshape(group * weights.shape[1], -1)
    turned = node.op_type == "Gemm" and bool(attribute(node, "transB" if position else "transA", 0))
    reduced_last = turned == bool(position)  # rows times columns: the left one is summed along its last axis
    if weights.ndim < 2:
        return weights.reshape(1, -1)
    return (weights if reduced_last else weights.swapaxes(-1, -2)).reshape(
        -1, weights.shape[-1 if reduced_last else -2]
    )


def _largest(layer: str, weight: str, channels: np.ndarray) -> PairSum:
    magnitudes = np.sort(np.abs(channels), axis=1)[:, -2:]
    sums = magnitudes.sum(axis=1)
    channel = int(sums.argmax())
    first = int(magnitudes[channel, -1])
    second = int(magnitudes[channel, 0]) if magnitudes.shape[1] > 1 else 0
    return PairSum(layer, weight, channel if len(channels) > 1 else -1, first, second)
