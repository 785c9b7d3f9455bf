"""Looking around in an ONNX graph, and changing it."""

from collections.abc import Iterable, Iterator

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.utils import Extractor

from edge_arseg.compiler.graph_writer import GraphWriter


class OnnxGraph:
    """A model with its constants, producers and consumers by name.

    Attributes:
        model: the model, which changes go to.
        constants: name to array.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        self.index()

    def index(self) -> None:
        """Look up producers and consumers anew, after nodes have changed."""
        self._producer = {name: node for node in self.nodes for name in node.output}
        self._consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in self.nodes:
            for name in node.input:
                self._consumers.setdefault(name, []).append(node)
        self.outputs = {value.name for value in self.model.graph.output}

    @property
    def nodes(self) -> list[onnx.NodeProto]:
        """The nodes in the order of computation."""
        return list(self.model.graph.node)

    def producer(self, name: str) -> onnx.NodeProto | None:
        """Return the node that makes a tensor; ``None`` for inputs and constants."""
        return self._producer.get(name)

    def consumers(self, name: str) -> list[onnx.NodeProto]:
        """Return the nodes that read a tensor."""
        return self._consumers.get(name, [])

    def only_consumer(self, name: str) -> onnx.NodeProto | None:
        """Return the node that alone reads a tensor, where the tensor is no output of the graph."""
        readers = self.consumers(name)
        return readers[0] if len(readers) == 1 and name not in self.outputs else None

    def behind(self, names: Iterable[str]) -> Iterator[onnx.NodeProto]:
        """Yield every node that depends on one of ``names``."""
        reached = set(names)
        for node in self.nodes:
            if reached.intersection(node.input):
                reached.update(node.output)
                yield node

    def in_front(self, node: onnx.NodeProto, *, until: Iterable[str] = ()) -> Iterator[onnx.NodeProto]:
        """Yield every node that ``node`` depends on, without types ``until`` and what is in front of those."""
        waiting, seen = list(node.input), set[str]()
        while waiting:
            other = self.producer(waiting.pop())
            if other is not None and node_id(other) not in seen and other.op_type not in until:
                seen.add(node_id(other))
                waiting.extend(other.input)
                yield other

    def add_constant(self, name: str, value: np.ndarray) -> str:
        """Add a constant under a name that is new, and return the name."""
        assert name not in self.constants, name
        self.constants[name] = value
        self.model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def replace(self, old: Iterable[onnx.NodeProto], new: GraphWriter) -> None:
        """Put what a writer wrote in the place of the first of ``old`` and remove them."""
        gone = {node_id(node) for node in old}
        kept: list[onnx.NodeProto] = []
        placed = False
        for node in self.nodes:
            if node_id(node) not in gone:
                kept.append(node)
            elif not placed:
                kept.extend(new.nodes)
                placed = True
        del self.model.graph.node[:]
        self.model.graph.node.extend(kept)
        self.model.graph.initializer.extend(new.constants)
        self.constants |= {tensor.name: numpy_helper.to_array(tensor) for tensor in new.constants}
        self.drop_unused()
        self.index()

    def drop_unused(self) -> None:
        """Remove constants that nothing reads."""
        read = {name for node in self.nodes for name in node.input}
        kept = [tensor for tensor in self.model.graph.initializer if tensor.name in read]
        del self.model.graph.initializer[:]
        self.model.graph.initializer.extend(kept)


def node_id(node: onnx.NodeProto) -> str:
    """Return what tells a node from all others: its first output."""
    return node.output[0]


def attribute(node: onnx.NodeProto, name: str, default: object = None) -> object:
    """Return the value of an attribute."""
    for entry in node.attribute:
        if entry.name == name:
            return onnx.helper.get_attribute_value(entry)
    return default


def shapes_from_model(model: onnx.ModelProto) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Return element type and static shape of every tensor that has them."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    shapes = {}
    for value in (*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output):
        tensor = value.type.tensor_type
        shapes[value.name] = tensor.elem_type, tuple(dimension.dim_value for dimension in tensor.shape.dim)
    return shapes


def itemsize(elem_type: int) -> int:
    """Return the bytes of one element."""
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(elem_type)).itemsize


def part_from_model(model: onnx.ModelProto, outputs: list[str]) -> onnx.ModelProto:
    """Return what of a graph is needed to compute ``outputs``, any tensors of it."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    return Extractor(inferred).extract_model([value.name for value in model.graph.input], outputs)
