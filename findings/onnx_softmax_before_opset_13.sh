#!/usr/bin/env bash
# Softmax over the classes (axis 1 of NCHW) means another thing before opset 13, and libraries disagree about it silently: ONNX
# 1.23.2 converts a graph from 13 to 12 wrongly, and OpenVINO 2026.4.1, OpenCV 5.0.0 and ONNX's own reference read 12 wrongly.
#
# From opset 13 on, Softmax makes the classes of each pixel sum to 1. Before, it flattens all axes from the given one on, so all
# pixels of all classes together sum to 1. onnx.version_converter keeps the axis when it goes down to 12, for which its
# adapter is made; onnx.checker finds nothing. ONNX Runtime follows the rule of each opset: from the converted graph it gives
# probabilities that are divided by the number of pixels, nearly. OpenVINO, OpenCV and onnx.reference follow the rule of 13 in
# opset 12 too. So the wrongly converted file is right with them, and a graph whose author meant the old rule is wrong.
#
# The class with the highest score stays the same in all of them, so mIoU is right and no test of class maps sees it. What
# breaks is what reads the score: a threshold, a confidence, an entropy. Graphs are converted down for the parser of an older
# TensorRT or a vendor's compiler that stops at opset 11 or 12.
# A way round: export anew with the opset that is wanted; or move the classes to the last axis before Softmax and back, where
# both rules agree. edge_arseg writes opset 18 and converts no graph down.
#
# Seen below: the mean over pixels of the sum of their classes' probabilities, 11 classes in 13 x 17 pixels. 1 is right in the
# first two rows and 1 / 221 in the third, whose graph was written for opset 12.
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
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from onnx.version_converter import convert_version

X = np.random.default_rng(0).normal(size=(1, 11, 13, 17)).astype(np.float32)


def graph(opset):
    nodes = [helper.make_node("Softmax", ["x"], ["y"], axis=1)]
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, X.shape)] for name in "xy"]
    return helper.make_model(helper.make_graph(nodes, "head", *ends), opset_imports=[helper.make_opsetid("", opset)], ir_version=7)


def by_opencv(path):
    network = cv2.dnn.readNetFromONNX(path)
    network.setInput(X, "x")
    return network.forward()


ENGINES = {
    "ONNX Runtime": lambda path: onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": X})[0],
    "OpenVINO": lambda path: ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(X)[0],
    "OpenCV": by_opencv,
    "onnx.reference": lambda path: ReferenceEvaluator(path).run(None, {"x": X})[0],
}
print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__, end=" ")
print("openvino", ov.__version__.split("-")[0], "cv2", cv2.__version__)
path, seen = f"{sys.argv[1]}/graph.onnx", {}
graphs = {"opset 13": graph(13), "converted to 12": convert_version(graph(13), 12), "written for 12": graph(12)}
for name, model in graphs.items():
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    for engine, run in ENGINES.items():
        result = run(path).reshape(X.shape)
        seen[name, engine] = round(float(result.sum(1).mean()), 4)
        assert (result.argmax(1) == X.argmax(1)).all(), "the class maps differ"
    print(f"{name}:", ", ".join(f"{engine} {seen[name, engine]}" for engine in ENGINES))
assert all(seen["opset 13", engine] == 1 for engine in ENGINES), "the measurement itself is off"
flat = round(1 / (13 * 17), 4)
assert seen["converted to 12", "ONNX Runtime"] == flat and graphs["converted to 12"].opset_import[0].version == 12, (
    "the converter has changed"
)
assert seen["written for 12", "ONNX Runtime"] == flat, "the measurement itself is off"
assert all(seen["written for 12", engine] == 1 for engine in list(ENGINES)[1:]), "an engine has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
