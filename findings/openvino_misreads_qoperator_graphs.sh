#!/usr/bin/env bash
# OpenVINO 2026.4.1 reads int8 graphs of ONNX Runtime's format QOperator and computes several of their operators wrongly, without an
# error or a warning. ONNX Runtime and OpenCV 5.0.0 compute the same files rightly, and OpenVINO the same networks with Q/DQ nodes.
#
# - QLinearAdd: integers that do not fit wrap around, where they should saturate (so do those of QLinearMul and QLinearConcat,
#   which are not shown below). In this format a Relu is nothing but saturation: the quantizer takes it out and gives the sum
#   before it a range that begins at 0. So the negative sums of a ResNet's units come out as large positive ones.
# - QLinearAveragePool and QLinearLeakyRelu: the same, and all values below 0 are lost, whatever the zero point.
# - QLinearConv with a scale for each output channel: OpenVINO applies the scales to the input channels. Where there are as many
#   of both, the output is noise; elsewhere opening the graph raises an error about shapes. With one scale for all weights
#   the operator is right.
#
# QLinearConv is an operator of ONNX; the others are ONNX Runtime's own (com.microsoft). The format is what quantize_static
# writes with quant_format=QuantFormat.QOperator.
#
# A way round: quantize with QuantFormat.QDQ, the default. edge_arseg writes QDQ alone.
#
# Seen below: mean error over the mean of the float output.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 opencv-python-headless==5.0.0.93 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import logging
import sys

import cv2
import numpy as np
import onnx
import onnxruntime
import openvino as ov
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

logging.disable(logging.WARNING)
onnxruntime.set_default_logger_severity(3)
random = np.random.default_rng(0)
X = random.normal(size=(1, 8, 24, 32)).astype(np.float32)


class Calibration(CalibrationDataReader):
    def __init__(self):
        self.left = [{"x": X}]

    def get_next(self):
        return self.left.pop() if self.left else None


def written(path, channels, behind):
    """A convolution and what follows it; the weights of its channels differ in size, as folded normalization makes them."""
    weights = random.normal(0, 0.2, (channels, 8, 3, 3)) * np.logspace(0, -1, channels).reshape(-1, 1, 1, 1)
    nodes = [helper.make_node("Conv", ["x", "w"], ["a"], name="conv", pads=[1] * 4)]
    if behind in ("Add", "Add and Relu"):
        nodes.append(helper.make_node("Add", ["a", "x"], ["b"], name="add"))
    elif behind == "AveragePool":
        nodes.append(helper.make_node("AveragePool", ["a"], ["b"], name="pool", kernel_shape=[3, 3], pads=[1] * 4))
    elif behind == "LeakyRelu":
        nodes.append(helper.make_node("LeakyRelu", ["a"], ["b"], name="rectifier", alpha=0.1))
    if behind == "Add and Relu":
        nodes.append(helper.make_node("Relu", ["b"], ["c"], name="relu"))
    nodes[-1].output[0] = "y"
    graph = helper.make_graph(
        nodes,
        "unit",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, X.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, channels, 24, 32])],
        [numpy_helper.from_array(weights.astype(np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def by_onnxruntime(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": X})[0]


def by_opencv(path):
    network = cv2.dnn.readNetFromONNX(path)
    network.setInput(X, "x")
    return network.forward()


def by_openvino(path):
    return ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(X)[0]


CASES = {
    "a convolution": (8, None, False),
    "a convolution and a sum": (8, "Add", False),
    "a convolution, a sum and a Relu": (8, "Add and Relu", False),
    "a convolution and an average pooling": (8, "AveragePool", False),
    "a convolution and a LeakyRelu": (8, "LeakyRelu", False),
    "scales per channel, 8 channels to 8": (8, None, True),
    "scales per channel, 8 channels to 12": (12, None, True),
}
RIGHT = ("a convolution", "a convolution and a sum")
folder = sys.argv[1]
plain, small = f"{folder}/float.onnx", f"{folder}/quantized.onnx"
print("onnxruntime", onnxruntime.__version__, "openvino", ov.__version__.split("-")[0], "cv2", cv2.__version__)
for form in (QuantFormat.QDQ, QuantFormat.QOperator):
    for name, (channels, behind, per_channel) in CASES.items():
        written(plain, channels, behind)
        right = by_onnxruntime(plain)
        quantize_static(
            plain,
            small,
            Calibration(),
            quant_format=form,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=per_channel,
        )
        for engine, run in {"ONNX Runtime": by_onnxruntime, "OpenCV": by_opencv, "OpenVINO": by_openvino}.items():
            misread = form is QuantFormat.QOperator and engine == "OpenVINO"
            try:
                error = float(abs(run(small) - right).mean() / abs(right).mean())
                print(f"{form.name}, {name}, {engine}: {error:.0%}")
            except RuntimeError:
                print(f"{form.name}, {name}, {engine}: raises an error")
                assert misread and channels == 12, "the measurement itself is off"
                continue
            if misread and name not in RIGHT:
                assert error > 0.5 and channels == 8, "the behaviour has changed"
            else:
                assert error < 0.08, "the measurement itself is off"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
