"""The float32 graphs that other precisions are made from, also of a bundle that holds them in int8."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from edge_arseg.compiler.writing import NewBundle
from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundles.reading import Bundle
from edge_arseg.spec.manifest import Manifest, Precision, Role

if TYPE_CHECKING:
    import onnx


def told_of_rounding(manifest: Manifest) -> str:
    """Return what people should know of float32 graphs that are made of a quantized bundle."""
    graphs = ", ".join(role.value for role in manifest.integer_roles)
    return f"taking the quantization off {graphs}: weights stay rounded to {manifest.rounded_bits} bits"


def check_source(bundle: Bundle) -> None:
    """Refuse a bundle that has no float32 graphs, or is compiled for a target.

    Raises:
        BundleError: names what it is.
    """
    manifest = bundle.manifest
    if manifest.target is not None:
        raise BundleError(
            f"{bundle.path}: compiled for {manifest.target}; start from the bundle that it was compiled from: "
            f"edge-arseg quantize FLOAT32.arseg --target {manifest.target} -o NAME.arseg"
        )
    if not manifest.is_float32 and manifest.rounded_bits is None:
        told = ", ".join(f"{role.value} {entry.precision.value}" for role, entry in manifest.graphs.items())
        raise BundleError(
            f"{bundle.path}: {told} seen, expected float32 throughout, or int8 with uint8 activations; start from the "
            "bundle that `edge-arseg export` made"
        )


def float32_graphs(bundle: Bundle) -> "dict[Role, onnx.ModelProto]":
    """Return the graphs of a bundle in float32.

    Args:
        bundle: one that ``check_source`` passes.

    Raises:
        ExportError: see ``float_from_qdq``.
    """
    import onnx

    from edge_arseg.compiler.quantize.floating import float_from_qdq

    graphs = {role: onnx.load(str(bundle.graph_path(role))) for role in bundle.manifest.graphs}
    return {
        role: float_from_qdq(graph) if role in bundle.manifest.integer_roles else graph
        for role, graph in graphs.items()
    }


@contextmanager
def float32_source(bundle: Bundle, place: NewBundle) -> Iterator[Bundle]:
    """Give a bundle in float32: this one, or what it is without its quantization, for the time of a ``with`` block.

    Args:
        bundle: one that ``check_source`` passes.
        place: of the bundle that is made from it.

    Raises:
        ExportError: see ``float_from_qdq``.
        SinkError: there is no room for it among the temporary files.
    """
    manifest = bundle.manifest
    if manifest.is_float32:
        yield bundle
        return
    graphs = {manifest.graphs[role].file: graph.SerializeToString() for role, graph in float32_graphs(bundle).items()}
    entries = {role: replace(entry, precision=Precision.FP32) for role, entry in manifest.graphs.items()}
    kept = files_without_quantization(manifest)
    contents = bundle.contents(kept) | graphs
    with place.trial(replace(manifest, graphs=entries, quantization=None), contents) as source:
        yield source


def files_without_quantization(manifest: Manifest) -> list[str]:
    """Return the files of a bundle but for the records of its quantization."""
    entry = manifest.quantization
    records = () if entry is None else (entry.calibration, entry.sensitivity)
    return [name for name in manifest.files if name not in records]
