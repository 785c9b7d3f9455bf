"""Whether TensorRT takes a graph, and computes it in the types that were meant.

Run with TensorRT-RTX, which parses and builds on a machine without a GPU. What it cannot see: gaps of older parsers,
tactics, times, memory.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from edge_arseg.compiler.engines.contract import BuildSettings
from edge_arseg.compiler.engines.tensorrt import LayerTypes, TensorRtBuilder
from edge_arseg.errors import BuildError, MemoryExhaustedError
from edge_arseg.spec.manifest import Precision

WEIGHTED = ("CONVOLUTION", "DECONVOLUTION")
HARMLESS = ("Converting conv activation scales to fp32", "Converting conv weight scales to fp32")
"""TensorRT-RTX says so of float16 Q/DQ graphs: the scale, one number, becomes float32; the convolution stays INT8."""
_SETTINGS = BuildSettings(4 << 30)
"""Enough for the largest, the ``fuse`` graph of psp18 at 720x960: how much there is, is a matter of boards."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What was found.

    Attributes:
        layers: of the network.
        weighted: convolutions among them.
        plan_bytes: length of the plan.
        float32: convolutions that compute in float32.
        unquantized: convolutions that read an activation or weights that are not dequantized.
        classifier: convolutions with none behind them on the way to the class map; they may stay in float.
        warnings: of the build, but for those that are harmless.
        faults: what is not as it was meant; empty: passed.
    """

    layers: int
    weighted: int
    plan_bytes: int
    float32: tuple[str, ...]
    unquantized: tuple[str, ...]
    classifier: tuple[str, ...]
    warnings: tuple[str, ...]
    faults: tuple[str, ...]


def result_from_graph(graph: bytes, precision: Precision, builder: TensorRtBuilder) -> GateResult:
    """Parse and build a graph, and look at the types of its convolutions.

    Args:
        graph: an ONNX model in one piece.
        precision: that the manifest states. ``mixed`` graphs keep layers in float, so theirs are told, no fault.
        builder: on TensorRT-RTX, or on TensorRT where there is a GPU.

    Raises:
        EnvironmentUnfitError: the builder finds no GPU and needs one.
    """
    try:
        layers = builder.layers_from_graph(graph)
        built = builder.build(graph, precision, _SETTINGS, b"", lambda _: None)
    except (BuildError, MemoryExhaustedError) as error:
        return GateResult(0, 0, 0, (), (), (), (), (str(error),))
    weighted = [layer for layer in layers if layer.kind in WEIGHTED]
    float32 = tuple(layer.name for layer in weighted if layer.dtypes[0] == "FLOAT")
    made = {name: layer for layer in layers for name in layer.outputs}
    unquantized = tuple(layer.name for layer in weighted if not _quantized(layer, made))
    classifier = classifiers(layers)
    warnings = tuple(text for text in built.warnings if not any(known in text for known in HARMLESS))
    faults = [f"warning: {text}" for text in warnings]
    if precision is Precision.FP16:
        faults += [f"{name}: computes in float32" for name in float32]
    if precision is Precision.INT8:
        faults += [f"{name}: is not quantized" for name in unquantized if name not in classifier]
    return GateResult(
        len(layers),
        len(weighted),
        len(built.plan),
        float32,
        unquantized,
        classifier,
        warnings,
        tuple(faults),
    )


def classifiers(layers: Iterable[LayerTypes]) -> tuple[str, ...]:
    """Return the convolutions with no other convolution between them and a choice of the largest score."""
    layers = list(layers)
    readers: dict[str, list[LayerTypes]] = {}
    for layer in layers:
        for name in layer.inputs:
            readers.setdefault(name, []).append(layer)
    found = []
    for start in (layer for layer in layers if layer.kind in WEIGHTED):
        todo, seen, chosen, weighted = list(start.outputs), set(start.outputs), False, False
        while todo:
            for layer in readers.get(todo.pop(), []):
                chosen = chosen or layer.kind == "TOPK"
                weighted = weighted or layer.kind in WEIGHTED
                fresh = [name for name in layer.outputs if name not in seen]
                seen.update(fresh)
                todo += fresh
        if chosen and not weighted:
            found.append(start.name)
    return tuple(found)


def _quantized(layer: LayerTypes, made: dict[str, LayerTypes]) -> bool:
    """Whether activation and weights come from dequantizations; weights inside the layer are no input and pass."""
    sources = [made[name] for name in layer.inputs[:2] if name in made]
    return bool(sources) and all(source.kind == "DEQUANTIZE" for source in sources)
