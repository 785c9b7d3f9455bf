#!/usr/bin/env bash
# A Resize by a scale such as 0.7 or 0.65 has another number of rows in each library: ONNX 1.23.2, ONNX Runtime 1.32.0,
# OpenVINO 2026.4.1, and the same code in PyTorch 2.13.0.
#
# ONNX says floor(length * scale), and so does PyTorch of F.interpolate(scale_factor=...). The product is not exact, and
# all compute it differently: PyTorch in double precision, the shape inference and the reference of ONNX in double precision
# with the scale rounded to float32, ONNX Runtime in float32, and OpenVINO allows for rounding. For 720 rows and 0.7 that is
# 503, 503, 504, 504; for 0.65 it is 468, 467, 467, 468. torch.onnx.export writes the scale and not the size. Its file then
# names an output of 503 rows where both engines give 504, and at 0.65 the engines differ from each other.
#
# It is met where a low-resolution branch gets a share of the picture and is joined with the full resolution later: a Concat or
# Add fails on one engine alone; or nothing fails, since another Resize follows, and the result is shifted by part of a row.
# Scales of halves, quarters and eighths are safe, and so are lengths that are a power of two.
# A way round: give sizes in whole pixels, F.interpolate(size=...). The question is open in onnx/onnx#4919.
#
# Seen below: rows of the output. "double" is the rule of PyTorch.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import math

import numpy as np
import onnx
import onnxruntime
import openvino as ov
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


def rows(length, scale):
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="linear")],
            "resize",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, length, 2])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(np.array([1, 1, scale, 1], np.float32), "scales")],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    onnx.checker.check_model(inferred, full_check=True)
    content, x = model.SerializeToString(), np.zeros((1, 1, length, 2), np.float32)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    core = ov.Core()
    return (
        math.floor(length * scale),
        inferred.graph.output[0].type.tensor_type.shape.dim[2].dim_value,
        ReferenceEvaluator(model).run(None, {"x": x})[0].shape[2],
        session.run(None, {"x": x})[0].shape[2],
        core.compile_model(core.read_model(content), "CPU")(x)[0].shape[2],
    )


seen = {(length, scale): rows(length, scale) for length, scale in ((720, 0.7), (720, 0.65), (720, 0.75), (512, 0.7))}
print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__, "openvino", ov.__version__.split("-")[0])
print("length, scale: double, ONNX inferred, ONNX reference, ONNX Runtime, OpenVINO")
for given, counts in seen.items():
    print(f"{given[0]}, {given[1]}:", *counts)
assert seen[720, 0.75] == (540,) * 5 and seen[512, 0.7] == (358,) * 5, "the measurement itself is off"
assert seen[720, 0.7] == (503, 503, 503, 504, 504), "the behaviour has changed"
assert seen[720, 0.65] == (468, 467, 467, 467, 468), "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py"
