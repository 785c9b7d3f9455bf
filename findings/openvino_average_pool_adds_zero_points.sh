#!/usr/bin/env bash
# OpenVINO 2026.4.1 (CPU): an average pooling in int8 that counts its padding adds numbers far below zero at the border, where the
# padding is zero. ONNX Runtime and OpenCV compute the same file rightly, and so does OpenVINO in float.
#
# The padding should be the real 0, which is the zero point in integers. OpenVINO pads with the integer 0 instead, and that
# stands for -scale * zero point: -6.4 here, where every pixel is 3. The whole border of the picture is wrong, by more
# than the largest value in the picture, and nothing is said. Inner pixels are right.
#
# The padding counts by default in torch (AvgPool2d, count_include_pad=True), so the exporter writes count_include_pad=1. Zero
# points other than 0 are what quantizers write for activations that may be negative: those before a rectifier, behind
# HardSwish or SiLU, or of a frame with its mean taken off. Behind a Relu the zero point is 0, and all is right; so is int8 with
# the zero point 0, as TensorRT wants it. It is the same in OpenVINO's own graphs: a FakeQuantize with a range around zero.
#
# A way round: zeros in front of the pooling by an operator of their own, nn.ZeroPad2d, and no padding in it: that is the same
# network, and Pad is right in int8. To leave the pooling out when quantizing does not help (nodes_to_exclude): the Q/DQ nodes of
# its neighbours are around it still. edge_arseg's `quantize` writes the Pad itself.
#
# Seen below: pixels of 3 everywhere, pooled 3x3 with a padding of 1: the corner, an edge, and a pixel inside.
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

path, scale = f"{sys.argv[1]}/pool.onnx", np.float32(0.05)
x = np.full((1, 1, 8, 8), 3, np.float32)


def written(zero, included, quantized=True):
    names = ["x", "pooled"]
    nodes = []
    for number, name in enumerate(names):
        if number:
            pads = {"kernel_shape": [3, 3], "pads": [1] * 4, "count_include_pad": included}
            nodes.append(helper.make_node("AveragePool", [names[0]], [name], **pads))
        if quantized:
            nodes.append(helper.make_node("QuantizeLinear", [name, "scale", "zero"], [f"{name}_q"]))
            nodes.append(helper.make_node("DequantizeLinear", [f"{name}_q", "scale", "zero"], [f"{name}_dq"]))
            names[number] = f"{name}_dq"
    graph = helper.make_graph(
        nodes,
        "pool",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info(names[1], TensorProto.FLOAT, x.shape)],
        [numpy_helper.from_array(scale, "scale"), numpy_helper.from_array(zero, "zero")] if quantized else [],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def by_opencv():
    network = cv2.dnn.readNetFromONNX(path)
    network.setInput(x, "x")
    return network.forward()


ENGINES = {
    "ONNX Runtime": lambda: onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0],
    "OpenCV": by_opencv,
    "OpenVINO": lambda: ov.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(x)[0],
}
CASES = {
    "float, padding counted": (None, 1),
    "uint8, zero point 128, padding not counted": (np.uint8(128), 0),
    "uint8, zero point 0, padding counted": (np.uint8(0), 1),
    "int8, zero point 0, padding counted": (np.int8(0), 1),
    "int8, zero point -20, padding counted": (np.int8(-20), 1),
    "uint8, zero point 128, padding counted": (np.uint8(128), 1),
}
print("onnxruntime", onnxruntime.__version__, "openvino", ov.__version__.split("-")[0], "cv2", cv2.__version__)
for name, (zero, included) in CASES.items():
    written(zero, included, zero is not None)
    right = (3 * 4 / 9, 3 * 6 / 9, 3) if included else (3, 3, 3)
    for engine, run in ENGINES.items():
        found = run()[0, 0]
        seen = [float(found[0, 0]), float(found[0, 4]), float(found[4, 4])]
        error = max(abs(np.subtract(seen, right)))
        print(f"{name}, {engine}:", *(f"{value:.2f}" for value in seen))
        if engine == "OpenVINO" and included and zero:
            # padding of -scale * zero point, or 1 for int8, whose integer 0 lies there
            shifted = -scale * float(zero)
            wrong = (3 * 4 + 5 * shifted) / 9, (3 * 6 + 3 * shifted) / 9, 3
            assert max(abs(np.subtract(seen, wrong))) < scale, "the behaviour has changed"
        else:
            assert error < scale, "the measurement itself is off"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
