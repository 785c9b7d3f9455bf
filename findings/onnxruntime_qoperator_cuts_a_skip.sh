#!/usr/bin/env bash
# ONNX Runtime 1.32.0: quantize_static in the format QOperator cuts off the negative values of a skip connection that begins
# before a Relu or Clip. The error is nearly as large as the output where 2 % is usual; the format QDQ is right.
#
# The quantizer takes a Relu or a Clip away and gives what comes before it the range behind it, since saturation does the same.
# In QOperator it does not look who else reads the value from before. In a residual unit with the activation in front and no
# normalization between (RefineNet, and the decoders of MiDaS and DPT after it) the skip connection reads it: its negative
# values become 0, and with a Clip those above the limit are cut too. Nothing is said. It looks like a network that "does not
# quantize well", and neither more pictures for calibration nor another method nor weights per channel help.
#
# QOperator is asked for where the target has no Q/DQ nodes, and in many older recipes.
# A way round: quant_format=QuantFormat.QDQ, the default; or leave such activations out: nodes_to_exclude with the name of each
# Relu whose input has another reader. edge_arseg writes QDQ alone.
#
# Seen below: mean error over the mean of the float output, for a block x -> Conv -> (Relu or Clip -> Conv) + skip, where the
# skip is read before the activation or behind it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import logging
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

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


def written(path, activation, skip):
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "first"], ["before"], name="conv1", pads=[1] * 4),
            helper.make_node(
                activation, ["before", "low", "high"] if activation == "Clip" else ["before"], ["behind"], name="activation"
            ),
            helper.make_node("Conv", ["behind", "second"], ["b"], name="conv2", pads=[1] * 4),
            helper.make_node("Add", [skip, "b"], ["y"], name="add"),
        ],
        "block",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, X.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, X.shape)],
        [numpy_helper.from_array(values, name) for name, values in (WEIGHTS | LIMITS).items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    onnx.checker.check_model(path, full_check=True)


def run(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": X})[0]


folder, seen = sys.argv[1], {}
print("onnxruntime", onnxruntime.__version__)
for activation in ("Relu", "Clip"):
    for skip in ("behind", "before"):
        written(f"{folder}/float.onnx", activation, skip)
        right = run(f"{folder}/float.onnx")
        for style, excluded in ((QuantFormat.QDQ, []), (QuantFormat.QOperator, []), (QuantFormat.QOperator, ["activation"])):
            quantize_static(
                f"{folder}/float.onnx",
                f"{folder}/quantized.onnx",
                Calibration(),
                quant_format=style,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=excluded,
            )
            error = abs(run(f"{folder}/quantized.onnx") - right).mean() / abs(right).mean()
            seen[activation, skip, style.name, bool(excluded)] = error
            left_out = ", the activation left out" if excluded else ""
            print(f"{activation}, skip from {skip} it, {style.name}{left_out}: {error:.1%}")
wrong = [seen.pop((activation, "before", "QOperator", False)) for activation in ("Relu", "Clip")]
assert all(error < 0.05 for error in seen.values()), "the measurement itself is off"
assert all(error > 0.3 for error in wrong), "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
