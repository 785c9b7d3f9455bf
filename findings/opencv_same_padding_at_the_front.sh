#!/usr/bin/env bash
# OpenCV 5.0.0 (cv2.dnn): a convolution with auto_pad SAME_UPPER and stride 2 over an even number of rows or columns comes out
# wrong. OpenCV 4.13.0 computes the same file rightly, as ONNX Runtime does.
#
# With SAME the padding is as large as the output needs. Where that is odd, SAME_UPPER puts the greater part at the end
# (onnx.ai, operator Conv) and SAME_LOWER at the beginning. OpenCV 5 puts it at the beginning for both, so each layer takes its
# pixels one row and one column too far up and left; OpenCV 4 put it at the end for both. Shapes are right and nothing is
# said. Where the padding is even, as at stride 1 and kernel 3, both are the same, so most layers of a network pass.
#
# It is every layer that halves the picture in networks of TensorFlow and Keras (MobileNet, EfficientNet-Lite, DeepLab), where
# tf2onnx leaves the picture's size open: it writes SAME_UPPER then. Numbers (`pads`), as PyTorch's exporter writes, are right.
# A way round: write the numbers into the graph before OpenCV reads it, pads=[0, 0, 1, 1] for kernel 3, stride 2 and an even size.
#
# Seen below: kernel 3; mean error over the mean of what ONNX Runtime gives; OpenCV 5 and OpenCV 4.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/written.py" <<'PY'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(0)
weights = random.normal(size=(6, 4, 3, 3)).astype(np.float32)
for size in (16, 17):
    x = random.normal(size=(1, 4, size, size)).astype(np.float32)
    np.save(f"{sys.argv[1]}/x_{size}.npy", x)
    for stride in (1, 2):
        half = -(-size // stride)
        missing = (half - 1) * stride + 3 - size
        numbers = [missing // 2] * 2 + [missing - missing // 2] * 2
        for way, attributes in (
            ("SAME_UPPER", {"auto_pad": "SAME_UPPER"}),
            ("SAME_LOWER", {"auto_pad": "SAME_LOWER"}),
            ("pads", {"pads": numbers}),
        ):
            graph = helper.make_graph(
                [helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3], strides=[stride] * 2, **attributes)],
                "layer",
                [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
                [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 6, half, half])],
                [numpy_helper.from_array(weights, "w")],
            )
            model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
            onnx.checker.check_model(model, full_check=True)
            path = f"{sys.argv[1]}/{way}_{stride}_{size}"
            onnx.save(model, f"{path}.onnx")
            session = onnxruntime.InferenceSession(f"{path}.onnx", providers=["CPUExecutionProvider"])
            np.save(f"{path}.npy", session.run(None, {"x": x})[0])
PY
cat > "$folder/seen.py" <<'PY'
import sys

import cv2
import numpy as np

print("cv2", cv2.__version__)
five, seen = cv2.__version__.startswith("5"), {}
for size in (16, 17):
    for stride in (1, 2):
        for way in ("SAME_UPPER", "SAME_LOWER", "pads"):
            path = f"{sys.argv[1]}/{way}_{stride}_{size}"
            right = np.load(f"{path}.npy")
            network = cv2.dnn.readNetFromONNX(f"{path}.onnx")
            network.setInput(np.load(f"{sys.argv[1]}/x_{size}.npy"), "x")
            error = abs(network.forward() - right).mean() / abs(right).mean()
            seen[way, stride, size] = error
            print(f"{way}, stride {stride}, {size} x {size}: {error:.0%}")
wrong = seen.pop(("SAME_UPPER" if five else "SAME_LOWER", 2, 16))
assert all(error < 0.001 for error in seen.values()), "the measurement itself is off"
assert wrong > 0.5, "the behaviour has changed"
PY
for version in 5.0.0.93 4.13.0.92; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install -q --disable-pip-version-check \
        onnx==1.23.2 onnxruntime==1.32.0 opencv-python-headless==$version numpy==2.4.6 2>/dev/null
    "$folder/$version/bin/python" "$folder/written.py" "$folder"
    "$folder/$version/bin/python" "$folder/seen.py" "$folder"
done
