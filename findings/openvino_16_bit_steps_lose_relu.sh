#!/usr/bin/env bash
# OpenVINO 2026.4.1 computes a graph with 16-bit activations without its Relu and Clip: the error is as large as the output,
# where it should be 1 %. ONNX Runtime computes the same file rightly, and so does OpenVINO 2025.4.1.
#
# `quantize_static` of ONNX Runtime takes a Relu or a Clip away where the quantization behind it cuts off the same values:
# QuantizeLinear saturates, so with the zero point 0 nothing below 0 is left. By the rules of ONNX the graph computes the same.
# OpenVINO takes pairs of QuantizeLinear and DequantizeLinear in 16 bits for mere rounding and leaves them out, and the
# saturation with them. In 8 bits it keeps it. Nothing is said, shapes are right, and the network has no activations any more.
#
# 16-bit activations with 8-bit weights are what one tries where 8 bits lose too much. The accuracy is checked with ONNX
# Runtime, and a board with OpenVINO shows other classes; or a board that was right does so after an update of OpenVINO.
# A way round: extra_options={"QDQKeepRemovableActivations": True} when the graph is quantized, which keeps Relu and Clip as
# nodes. Compare the classes of both engines on a picture before a quantized graph is deployed.
#
# Seen below: two convolutions with an activation between them; mean error over the mean of the float output.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import logging
import sys

import numpy as np
import onnx
import onnxruntime
import openvino as ov
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

logging.disable(logging.WARNING)
onnxruntime.set_default_logger_severity(3)
random = np.random.default_rng(0)
X = random.normal(size=(1, 8, 24, 32)).astype(np.float32)
WEIGHTS = {name: random.normal(0, 0.2, (8, 8, 3, 3)).astype(np.float32) for name in ("first", "second")}
LIMITS = {"low": np.float32(0), "high": np.float32(1)}


class Calibration(CalibrationDataReader):
    def __init__(self):
        self.left = [{"x": X}]

    def get_next(self):
        return self.left.pop() if self.left else None


def written(path, activation):
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "first"], ["a"], pads=[1] * 4),
            helper.make_node(activation, ["a", "low", "high"] if activation == "Clip" else ["a"], ["b"]),
            helper.make_node("Conv", ["b", "second"], ["y"], pads=[1] * 4),
        ],
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, X.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, X.shape)],
        [numpy_helper.from_array(values, name) for name, values in (WEIGHTS | LIMITS).items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path)


def by_onnxruntime(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": X})[0]


def by_openvino(path):
    return ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(X)[0]


folder, seen = sys.argv[1], {}
print("onnxruntime", onnxruntime.__version__, "openvino", ov.__version__.split("-")[0])
for activation in ("Relu", "Clip"):
    written(f"{folder}/float.onnx", activation)
    right = by_onnxruntime(f"{folder}/float.onnx")
    for kind, kept in ((QuantType.QUInt8, False), (QuantType.QUInt16, False), (QuantType.QUInt16, True)):
        path = f"{folder}/quantized.onnx"
        quantize_static(
            f"{folder}/float.onnx",
            path,
            Calibration(),
            activation_type=kind,
            weight_type=QuantType.QInt8,
            extra_options={"QDQKeepRemovableActivations": kept},
        )
        onnx.checker.check_model(path, full_check=True)
        assert any(node.op_type == activation for node in onnx.load(path).graph.node) == kept, "the measurement itself is off"
        errors = [abs(run(path) - right).mean() / abs(right).mean() for run in (by_onnxruntime, by_openvino)]
        seen[activation, kind.name, kept] = errors
        way = "kept" if kept else "left to the quantization"
        print(f"{activation} {way}, activations {kind.name}: ONNX Runtime {errors[0]:.1%}, OpenVINO {errors[1]:.1%}")
wrong = [seen.pop((activation, "QUInt16", False)) for activation in ("Relu", "Clip")]
assert all(error < 0.05 for errors in seen.values() for error in errors), "the measurement itself is off"
assert all(by_ort < 0.05 for by_ort, _ in wrong), "the measurement itself is off"
assert all(by_ov > 0.5 for _, by_ov in wrong), "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
