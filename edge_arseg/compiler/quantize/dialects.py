"""How int8 graphs are written: one dialect for each engine library that reads them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx

from edge_arseg.compiler.quantize.calibrate.ranges import Range
from edge_arseg.compiler.quantize.rules.layers import BETWEEN, WEIGHTED
from edge_arseg.compiler.quantize.rules.saturation import check_sums
from edge_arseg.compiler.quantize.rules.tensorrt import INPUT_RULES, SCALE_RULES
from edge_arseg.errors import OptionError
from edge_arseg.spec.manifest import Precision
from edge_arseg.spec.targets.target import Activations


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an engine library wants of an int8 graph. Weights are int8, symmetric, one scale per output channel, in all.

    Attributes:
        name: what bundles, records and ``--activations`` call it: the type of its activations.
        lowest, highest: integers that activations use.
        symmetric: zero is the integer 0.
        weight_bits: 7 keeps the sum of two products within 16 bits; 8 otherwise.
        between: types of operators that compute in integers between two layers.
        float_outputs: types of layers whose results stay in float.
        float_biases: biases stay in float; else they are int32.
        float_precision: of all that does not compute in integers.
        input_rules: find activations to quantize beside those that layers read, from the graph and its layers in int8.
        scale_rules: find groups of tensors that shall share a scale.
        checks: refuse a quantized graph with an ``ExportError``.
    """

    name: str
    lowest: int
    highest: int
    symmetric: bool
    weight_bits: int
    between: tuple[str, ...]
    float_outputs: tuple[str, ...]
    float_biases: bool
    float_precision: Precision
    input_rules: tuple[Callable[[onnx.ModelProto, tuple[str, ...]], list[str]], ...] = ()
    scale_rules: tuple[Callable[[onnx.ModelProto], list[set[str]]], ...] = ()
    checks: tuple[Callable[[onnx.ModelProto], None], ...] = ()

    def scale_from_range(self, values: Range) -> tuple[float, int]:
        """Return ``(scale, zero_point)`` that cover a range: a value is ``scale * (integer - zero_point)``."""
        if self.symmetric:
            return (max(-values.low, values.high) or self.highest) / self.highest, 0
        scale = (values.high - values.low) / (self.highest - self.lowest) or 1.0
        return scale, int(np.clip(round(self.lowest - values.low / scale), self.lowest, self.highest))


ONNX_RUNTIME = Dialect(
    name=Activations.UINT8.value,
    lowest=0,
    highest=255,
    symmetric=False,
    weight_bits=7,
    between=BETWEEN,
    float_outputs=(),
    float_biases=False,
    float_precision=Precision.FP32,
    checks=(check_sums,),
)
"""ONNX Runtime on x86: integers around every operator that has an integer kernel, so that each group of nodes becomes
one. Weights use -64 to 64, so that x86 without VNNI, which adds two products in 16 bits, computes the same sums."""

TENSORRT = Dialect(
    name=Activations.INT8.value,
    lowest=-127,  # symmetric, so -128 is not used
    highest=127,
    symmetric=True,
    weight_bits=8,
    between=(),
    float_outputs=WEIGHTED,
    float_biases=True,
    float_precision=Precision.FP16,
    input_rules=INPUT_RULES,
    scale_rules=SCALE_RULES,
)
"""TensorRT: integers in front of layers alone, float biases and results, so that a convolution fuses with the sum and
the rectifier behind it. It adds in 32 bits."""

DIALECTS = {dialect.name: dialect for dialect in (ONNX_RUNTIME, TENSORRT)}


def dialect_from_name(name: str) -> Dialect:
    """Return the dialect that bundles and ``--activations`` call ``name``.

    Raises:
        OptionError: there is none.
    """
    if name not in DIALECTS:
        raise OptionError(f"activations {name!r} seen, expected one of {', '.join(DIALECTS)}")
    return DIALECTS[name]
