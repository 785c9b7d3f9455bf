"""Products of 8 bits, added exactly on every CPU: on x86 without VNNI only because ONNX Runtime is asked to."""

import os
import shutil
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from support.bundles.small import small_manifest

from edge_arseg.runtime.engines.onnxruntime import integer_sums
from edge_arseg.runtime.engines.onnxruntime.engine import OnnxRuntimeEngine
from edge_arseg.runtime.engines.onnxruntime.integer_sums import EXACT, has_wide_weights, sums_saturate
from edge_arseg.spec.entries import QuantizationEntry
from edge_arseg.spec.manifest import GraphEntry, Precision, Role

onnx = pytest.importorskip("onnx")
TensorProto, helper, numpy_helper = onnx.TensorProto, onnx.helper, onnx.numpy_helper

QEMU = shutil.which("qemu-x86_64-static")
LARGEST = 255 * 127


def qdq_model(kind, shape, weights, *, signed=False, **attributes):
    """``kind`` between Q/DQ nodes of scale 1, the result's scale large enough that its integers tell sums apart."""
    integers = np.int8 if signed else np.uint8
    channels = weights.shape[-1 if kind == "MatMul" else 0]
    constants = {
        "one": np.float32(1.0),
        "ones": np.ones(channels, np.float32),
        "zero": integers(0),
        "zeros": np.zeros(channels, np.int8),
        "w": weights.astype(np.int8),
        "out_scale": np.float32(512.0),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "one", "zero"], ["xd"]),
        helper.make_node("DequantizeLinear", ["w", "ones", "zeros"], ["wd"], axis=1 if kind == "MatMul" else 0),
        helper.make_node(kind, ["xd", "wd"], ["product"], **attributes),
        helper.make_node("QuantizeLinear", ["product", "out_scale", "zero"], ["yq"]),
        helper.make_node("DequantizeLinear", ["yq", "out_scale", "zero"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "sums",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return onnx.shape_inference.infer_shapes(model)


@pytest.mark.parametrize(
    ("kind", "shape", "weights", "options", "products"),
    [
        ("Conv", (1, 4, 6, 6), np.full((8, 4, 1, 1), 127), {}, 4),
        ("Conv", (1, 3, 6, 6), np.full((8, 3, 1, 1), 127), {}, 3),
        ("Conv", (1, 4, 6, 6), np.full((4, 1, 2, 2), 127), {"group": 4}, 4),
        ("MatMul", (6, 4), np.full((4, 16), 127), {}, 4),
    ],
    ids=["4 channels", "3 channels", "depthwise", "product"],
)
@pytest.mark.parametrize("signed", [False, True], ids=["uint8", "int8"])
def test_8_bit_weights_are_added_exactly_on_this_cpu(tmp_path, kind, shape, weights, options, products, signed):
    """int8 too: on x86 ONNX Runtime turns activations with sign into uint8, and meets the same sums."""
    onnx.save(qdq_model(kind, shape, weights, signed=signed, **options), tmp_path / "sums.onnx")
    largest = 127 if signed else 255
    expected = 512 * min(round(products * largest * 127 / 512), largest)
    with OnnxRuntimeEngine(tmp_path / "sums.onnx", threads=1) as engine:
        seen = engine.run({"x": np.full(shape, largest, np.float32)})["y"]
    assert np.unique(seen).tolist() == [expected]


def opened_with(monkeypatch, *, saturates):
    """Sessions as they are opened, on a CPU that is said to saturate or not."""
    monkeypatch.setattr(integer_sums, "sums_saturate", lambda: saturates)
    options = []
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *args, **named: options.append(args[1]) or session(*args, **named)
    )
    return options


def is_asked_for(options):
    try:
        return options.get_session_config_entry(EXACT) == "1"
    except RuntimeError:  # not set
        return False


@pytest.mark.parametrize(
    ("saturates", "wide", "asked"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_exact_sums_are_asked_for_where_the_cpu_and_the_weights_need_it(sum_graph, monkeypatch, saturates, wide, asked):
    options = opened_with(monkeypatch, saturates=saturates)
    with OnnxRuntimeEngine(sum_graph, threads=1, wide_weights=wide):
        assert is_asked_for(options[0]) == asked


def entry(bits):
    return QuantizationEntry("uint8", "0" * 64, "street", "0" * 64, "a.json", "b.json", bits)


@pytest.mark.parametrize(
    ("precision", "quantization", "wide"),
    [
        (Precision.FP32, None, False),
        (Precision.FP16, entry(None), False),
        (Precision.INT8, entry(7), False),
        (Precision.MIXED, entry(7), False),
        (Precision.INT8, entry(8), True),
        (Precision.MIXED, entry(8), True),
        (Precision.INT8, None, True),
    ],
)
def test_what_the_manifest_says_of_the_weights(precision, quantization, wide):
    from dataclasses import replace

    manifest = small_manifest()
    graphs = {**manifest.graphs, Role.HR: replace(manifest.graphs[Role.HR], precision=precision)}
    manifest = replace(manifest, graphs=graphs, quantization=quantization)
    assert isinstance(manifest.graphs[Role.HR], GraphEntry)
    assert has_wide_weights(manifest, Role.HR) == wide
    assert not has_wide_weights(manifest, Role.FUSE)


def test_a_build_without_the_operator_is_taken_to_saturate(monkeypatch):
    monkeypatch.setattr(integer_sums, "_MODEL", b"nonsense")
    sums_saturate.cache_clear()
    try:
        assert sums_saturate()
    finally:
        sums_saturate.cache_clear()


@pytest.mark.slow
@pytest.mark.skipif(QEMU is None, reason="qemu-x86_64-static is not installed")
@pytest.mark.parametrize(("cpu", "saturates"), [("Haswell", True), ("Nehalem", False)])
def test_the_probe_tells_cpus_apart(cpu, saturates):
    """AVX2 without VNNI saturates; SSE4 takes other kernels, which do not."""
    code = "from edge_arseg.runtime.engines.onnxruntime.integer_sums import sums_saturate; print(sums_saturate())"
    command = [QEMU, "-cpu", cpu, sys.executable, "-c", code]
    run = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert run.stdout.strip() == str(saturates)
