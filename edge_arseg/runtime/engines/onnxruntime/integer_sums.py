"""Exact sums of 8-bit products on ONNX Runtime, on every CPU.

x86 without VNNI adds two products of uint8 and int8 in 16 bits, which saturates where the weights use all 8 bits.
``session.x64quantprecision`` makes ONNX Runtime turn such weights into uint8, whose kernels are exact. It cannot simply
be always on: ONNX Runtime 1.25 to 1.32 also turn them on a CPU with AMX, where nothing saturates and the graph takes
twice as long. So a product that would saturate is tried once.
"""

from functools import cache

import numpy as np
import onnxruntime as ort

from edge_arseg.spec.manifest import Manifest, Precision, Role

EXACT = "session.x64quantprecision"
"""Weights of 7 bits are left alone by it."""

_MODEL = (
    b'\x08\x05:b\n\x18\n\x01a\n\x01b\x12\x01y"\rMatMulInteger\x12\x01pZ\x15\n\x01a\x12\x10\n\x0e\x08\x02\x12\n\n\x03\x12'
    b"\x01m\n\x03\x12\x01kZ\x15\n\x01b\x12\x10\n\x0e\x08\x03\x12\n\n\x03\x12\x01k\n\x03\x12\x01nb\x15\n\x01y\x12\x10\n"
    b"\x0e\x08\x06\x12\n\n\x03\x12\x01m\n\x03\x12\x01nB\x04\n\x00\x10\n"
)
"""ONNX, opset 10: ``y[m, n] int32 = MatMulInteger(a[m, k] uint8, b[k, n] int8)``."""


@cache
def sums_saturate() -> bool:
    """Whether ONNX Runtime's sums of uint8 by int8 products saturate on this CPU; tried once, in milliseconds.

    The CPU's flags would not do: what counts is which kernels the library takes, and an emulator shows the flags of
    the machine it runs on.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    left, right = np.full((4, 64), 255, np.uint8), np.full((64, 16), 127, np.int8)
    try:
        session = ort.InferenceSession(_MODEL, options, providers=["CPUExecutionProvider"])
        products = session.run(None, {"a": left, "b": right})[0]
    except Exception:  # a build without this operator: being exact costs time there, perhaps, but no accuracy
        return True
    return bool((products != 64 * 255 * 127).any())


def ask_for_exact_sums(options: ort.SessionOptions) -> None:
    """Make sessions with ``options`` add 8-bit products exactly, where this CPU would not."""
    if sums_saturate():
        options.add_session_config_entry(EXACT, "1")


def has_wide_weights(manifest: Manifest, role: Role) -> bool:
    """Whether a graph has weights of 8 bits, which need exact sums to be asked for; those of 7 bits never saturate."""
    if manifest.graphs[role].precision not in (Precision.INT8, Precision.MIXED):
        return False
    return manifest.quantization is None or manifest.quantization.weight_bits != 7
