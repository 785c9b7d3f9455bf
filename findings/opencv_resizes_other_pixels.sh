#!/usr/bin/env bash
# OpenCV 5.0.0 (cv2.dnn) computes three kinds of linear Resize otherwise than ONNX says, without an error. ONNX Runtime 1.32.0 and
# OpenVINO 2026.4.1 agree with each other and with the standard.
#
# - In opset 10, where the operator has no attribute for it, pixels are taken from x / scale. OpenCV takes them from
#   (x + 0.5) / scale - 0.5, as later opsets do by default. The result is shifted by (scale - 1) / 2 pixels: 3.5 at 8, the last step
#   of many segmentation networks.
# - A Resize of frames with the channels last resizes their columns alone: 12 x 16 pixels to 24 x 32 become 12 x 32. Exporters write
#   it where the frame comes in as bytes of a camera and is resized in the graph.
# - A Resize by a scale that does not divide the length goes by the ratio of the lengths and not by the scale: 0.6 of 4 pixels are
#   2, taken 1.67 apart and not 2 apart. torch's exporter writes the scale of F.interpolate(scale_factor=...).
#
# A way round: export anew with opset 13 or later, channels first and F.interpolate(size=...); or resize by cv2.resize before.
#
# Seen below: a row of the result for pixels 0, 1, 2, 3, and the shape for channels last.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 opencv-python-headless==5.0.0.93 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import sys

import cv2
import numpy as np
import onnx
import onnxruntime
import openvino as ov
from onnx import TensorProto, helper, numpy_helper

path = f"{sys.argv[1]}/resize.onnx"
planes = np.tile(np.arange(4, dtype=np.float32), (1, 1, 4, 1))
frame = np.random.default_rng(0).uniform(size=(1, 12, 16, 3)).astype(np.float32)


def written(opset, x, after, scales=None):
    inputs, constant = {
        10: (["x", "scales"], scales),
        13: (["x", "", "scales"], scales) if scales else (["x", "", "", "sizes"], after),
    }[opset]
    values = np.array(constant, np.float32 if scales else np.int64)
    graph = helper.make_graph(
        [helper.make_node("Resize", inputs, ["y"], mode="linear")],
        "resize",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, after)],
        [numpy_helper.from_array(values, inputs[-1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def by_opencv(x):
    network = cv2.dnn.readNetFromONNX(path)
    network.setInput(x, "x")
    return network.forward()


ENGINES = {
    "ONNX Runtime": lambda x: onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0],
    "OpenVINO": lambda x: ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(x)[0],
    "OpenCV": by_opencv,
}
CASES = {
    "opset 13, by 2": (13, planes, [1, 1, 8, 8], [1, 1, 2, 2]),
    "opset 10, by 2": (10, planes, [1, 1, 8, 8], [1, 1, 2, 2]),
    "opset 13, by 0.6": (13, planes, [1, 1, 2, 2], [1, 1, 0.6, 0.6]),
    "opset 13, to 2 pixels": (13, planes, [1, 1, 2, 2], None),
    "opset 13, channels last, to 24 x 32": (13, frame, [1, 24, 32, 3], None),
}
print("onnxruntime", onnxruntime.__version__, "openvino", ov.__version__.split("-")[0], "cv2", cv2.__version__)
for name, (opset, x, after, scales) in CASES.items():
    written(opset, x, after, scales)
    results = {engine: run(x) for engine, run in ENGINES.items()}
    right = results["ONNX Runtime"]
    assert right.shape == tuple(after), "the measurement itself is off"
    for engine, result in results.items():
        print(f"{name}, {engine}:", *([f"{v:.2f}" for v in result[0, 0, 0]] if x is planes else result.shape))
        equal = result.shape == right.shape and abs(result - right).max() < 1e-4
        if engine == "OpenCV" and name in ("opset 10, by 2", "opset 13, by 0.6", "opset 13, channels last, to 24 x 32"):
            assert not equal, "the behaviour has changed"
        else:
            assert equal, "the measurement itself is off"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
