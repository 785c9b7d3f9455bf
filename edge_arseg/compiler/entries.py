"""What a manifest says of graphs, and of the software that made them."""

import platform
from importlib.metadata import version

import onnx

from edge_arseg import __version__
from edge_arseg.spec.manifest import GraphEntry, Precision, Role
from edge_arseg.spec.tensor import TensorSpec

TAKING_PART = ("edge-arseg", "torch", "onnx", "onnxruntime", "onnxscript", "numpy", "av")


def graph_file(role: Role) -> str:
    """Return the path of a role's graph inside a bundle."""
    return f"onnx/{role.value}.onnx"


def graph_entry(role: Role, graph: onnx.ModelProto) -> GraphEntry:
    """Describe a float32 graph for the manifest."""
    return GraphEntry(graph_file(role), Precision.FP32, _specs(graph.graph.input), _specs(graph.graph.output))


def versions() -> dict[str, str]:
    """Return the versions of everything that takes part in an export."""
    found = {name: version(name) for name in TAKING_PART if name != "edge-arseg"}
    return {"edge-arseg": __version__, "python": platform.python_version(), **found}


def _specs(values: "list[onnx.ValueInfoProto]") -> dict[str, TensorSpec]:  # a repeated field, which is like a list
    specs = {}
    for value in values:
        dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name
        shape = tuple(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
        specs[value.name] = TensorSpec(dtype, shape)  # type: ignore[arg-type]
    return specs
