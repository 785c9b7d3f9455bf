#!/usr/bin/env bash
# ONNX Runtime: `session.x64quantprecision=1` also acts on a CPU with AMX, where nothing overflows, and costs most of the speed.
#
# The option's documentation (onnxruntime_session_options_config_keys.h): "x64 SSE4.1/AVX2/AVX512(with no VNNI) has overflow
# problem with quantizied matrix multiplication with U8S8. To avoid this we need to use slower U8U8 matrix multiplication
# instead. [...] Only effective with AVX2 or AVX512 platforms." On a CPU with AMX, ONNX Runtime 1.24.4 leaves the weights as
# they are; 1.32.0 rewrites them to uint8: the same result, bit for bit, in about five times the time.
#
# Exits with 0 where this is seen, with 1 where it is no longer so, with 77 on a CPU without AMX.
set -euo pipefail

if ! grep -qw amx_int8 /proc/cpuinfo; then
    echo "this CPU has no AMX: nothing to see here"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 1.24.4 1.32.0; do
    python3 -m venv "venv-$version"
    "venv-$version/bin/pip" install --quiet --disable-pip-version-check "onnxruntime==$version" onnx==1.20.1 numpy==2.3.5
done

cat > seen.py <<'PYTHON'
"""One quantized convolution, by the book: uint8 activations, int8 weights, with the option off and on."""

import sys
import time

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

C, SIZE = 128, 96
rng = np.random.default_rng(0)
values = {
    "x_scale": np.float32(0.02),
    "x_zero": np.uint8(0),
    "w": rng.integers(-127, 128, (C, C, 3, 3)).astype(np.int8),
    "w_scale": np.full(C, 0.001, np.float32),
    "w_zero": np.zeros(C, np.int8),
    "y_scale": np.float32(0.05),
    "y_zero": np.uint8(128),
}
node = helper.make_node("QLinearConv", ["x", *list(values)], ["y"], pads=[1, 1, 1, 1])
graph = helper.make_graph(
    [node],
    "convolution",
    [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, C, SIZE, SIZE])],
    [helper.make_tensor_value_info("y", TensorProto.UINT8, [1, C, SIZE, SIZE])],
    [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
sessions, kinds = [], []
for number, option in enumerate("01"):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.x64quantprecision", option)
    options.optimized_model_filepath = f"optimized{number}.onnx"
    sessions.append(ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]))
    optimized = onnx.load(options.optimized_model_filepath).graph
    (kind,) = {tensor.data_type for tensor in optimized.initializer if len(tensor.dims) == 4}
    kinds.append(TensorProto.DataType.Name(kind))
x = rng.integers(0, 256, (1, C, SIZE, SIZE), dtype=np.uint8)
off, on = (session.run(None, {"x": x})[0] for session in sessions)
taken = [[], []]
for _ in range(11):
    for session, times in zip(sessions, taken):
        start = time.perf_counter()
        session.run(None, {"x": x})
        times.append(time.perf_counter() - start)
ratio = min(taken[1]) / min(taken[0])
print(f"onnxruntime {ort.__version__}, onnx {onnx.__version__}, numpy {np.__version__}")
print(f"  weights with the option off, on: {kinds[0]}, {kinds[1]}")
print(f"  results equal: {np.array_equal(off, on)}")
print(f"  time with the option on over off: {ratio:.2f}")
rewritten = kinds == ["INT8", "UINT8"]
assert np.array_equal(off, on), "something does overflow here"
sys.exit(0 if rewritten == (sys.argv[1] == "rewritten") and (not rewritten or ratio > 1.5) else 1)
PYTHON

venv-1.24.4/bin/python seen.py kept
venv-1.32.0/bin/python seen.py rewritten
echo "1.32.0 obeys the option on a CPU where nothing overflows"
