"""The layers of a TensorRT network with the types of what goes in and out."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LayerTypes:
    """One layer.

    Attributes:
        name: of the layer; the ONNX parser takes it from the node.
        kind: TensorRT's ``LayerType``, like ``CONVOLUTION``.
        inputs, outputs: names of its tensors.
        dtypes: TensorRT's types of the outputs, like ``HALF``.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    dtypes: tuple[str, ...]


def layer_types(layer: Any) -> LayerTypes:
    """Read a layer of a network."""
    inputs = [tensor for i in range(layer.num_inputs) if (tensor := layer.get_input(i)) is not None]
    outputs = [layer.get_output(i) for i in range(layer.num_outputs)]
    return LayerTypes(
        layer.name,
        layer.type.name,
        tuple(tensor.name for tensor in inputs),
        tuple(tensor.name for tensor in outputs),
        tuple(tensor.dtype.name for tensor in outputs),
    )
