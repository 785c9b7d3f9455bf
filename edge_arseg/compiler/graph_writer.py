"""Writing an ONNX graph node by node, with readable names."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
"""GridSample of opset 20 and later is imported wrongly by several TensorRT releases; 16 to 19 are safe."""

IR_VERSION = 9


class GraphWriter:
    """Collects nodes and constants; ``op`` appends a node and returns the name of its output."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._count: dict[str, int] = {}

    def op(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Append a node of type ``kind`` with one output; empty names are absent inputs."""
        name = name or self._numbered(kind.lower())
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def split(self, x: str, *, parts: int, axis: int) -> list[str]:
        """Append a node that splits ``x`` evenly; returns the names of its outputs."""
        name = self._numbered("split")
        outputs = [f"{name}_{i}" for i in range(parts)]
        self._nodes.append(helper.make_node("Split", [x], outputs, name=name, axis=axis, num_outputs=parts))
        return outputs

    def constant(self, name: str, value: np.ndarray) -> str:
        """Add a constant under ``name``; adding the same name again must bring the same value."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def integers(self, *values: int) -> str:
        """Add ``[n] int64`` (a shape, axes, limits of a slice)."""
        return self.constant("i_" + "_".join(str(v).replace("-", "m") for v in values), np.array(values, np.int64))

    def model(
        self,
        name: str,
        inputs: Mapping[str, tuple[str, tuple[int, ...]]],
        outputs: Mapping[str, tuple[str, tuple[int, ...]]],
    ) -> onnx.ModelProto:
        """Finish the graph: names of inputs and outputs, each with dtype and shape.

        Raises:
            onnx.checker.ValidationError: the graph is not valid ONNX.
        """
        graph = helper.make_graph(
            self._nodes, name, _values(inputs), _values(outputs), initializer=list(self._constants.values())
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model

    @property
    def nodes(self) -> list[onnx.NodeProto]:
        """The nodes so far, for writing a part of a graph."""
        return list(self._nodes)

    @property
    def constants(self) -> list[onnx.TensorProto]:
        """The constants so far."""
        return list(self._constants.values())

    def _numbered(self, stem: str) -> str:
        self._count[stem] = self._count.get(stem, 0) + 1
        return f"{stem}_{self._count[stem]}"


def _values(specs: Mapping[str, tuple[str, tuple[int, ...]]]) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(
            name, TensorProto.DataType.Value(dtype.upper().replace("FLOAT32", "FLOAT")), shape
        )
        for name, (dtype, shape) in specs.items()
    ]
