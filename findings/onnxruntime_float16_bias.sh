#!/usr/bin/env bash
# ONNX Runtime 1.32.0: a float16 bias between Q/DQ nodes is lost when the graph is optimized.
#
# A convolution whose input and weights come out of DequantizeLinear in float16 and whose bias is a plain float16
# constant is valid ONNX. The optimizer `WeightBiasQuantization` turns the bias into int32 steps of
# (input scale * weight scale). It divides in float16, where every value above 65504 steps is infinite, so the bias
# becomes wrong: here 8.0 / (0.01 * 0.01) = 80,000 steps. The output is 0.0 where 8.65 is right. Nothing is logged and
# no error is raised; float32 graphs are not affected.
#
# What helps: `InferenceSession(..., disabled_optimizers=["WeightBiasQuantization"])`, or biases that are quantized in
# the file already. The script fails if the output becomes right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

half, eight = np.float16, np.uint8
constants = {
    "x_scale": np.array(0.01, half),
    "x_zero": np.array(0, eight),
    "w": np.full((1, 1, 1, 1), 64, np.int8),
    "w_scale": np.array([0.01], half),
    "w_zero": np.array([0], np.int8),
    "bias": np.array([8.0], half),
    "y_scale": np.array(0.05, half),
    "y_zero": np.array(0, eight),
}
nodes = [
    helper.make_node("QuantizeLinear", ["x", "x_scale", "x_zero"], ["x_q"]),
    helper.make_node("DequantizeLinear", ["x_q", "x_scale", "x_zero"], ["x_d"]),
    helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["w_d"], axis=0),
    helper.make_node("Conv", ["x_d", "w_d", "bias"], ["sum"]),
    helper.make_node("QuantizeLinear", ["sum", "y_scale", "y_zero"], ["y_q"]),
    helper.make_node("DequantizeLinear", ["y_q", "y_scale", "y_zero"], ["y"]),
]
shape = [1, 1, 2, 2]
graph = helper.make_graph(
    nodes,
    "bias",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT16, shape)],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT16, shape)],
    [numpy_helper.from_array(value, name) for name, value in constants.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
onnx.checker.check_model(model, full_check=True)


def output(disabled):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"], disabled_optimizers=disabled
    )
    return float(session.run(None, {"x": np.ones(shape, half)})[0].ravel()[0])


plain, without = output([]), output(["WeightBiasQuantization"])
print(f"ONNX Runtime {onnxruntime.__version__}: 1.0 * 0.64 + 8.0 gives {plain}; without WeightBiasQuantization {without}")
assert abs(without - 8.64) < 0.06, "the measurement itself is off"
assert abs(plain - 8.64) > 1, "the bias survives now"
PY
"$folder/venv/bin/python" "$folder/seen.py"
