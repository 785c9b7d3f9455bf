#!/usr/bin/env bash
# ONNX Runtime 1.32.0: quantize_static in the format QOperator gives a bias that several convolutions share the scale of the first
# one alone. In the others the bias is too large or too small by the ratio of their inputs' scales, and nothing is said.
#
# A bias is stored in int32, in steps of the input's scale times the weights' scale. Two convolutions with the same bias and
# inputs of other ranges need two such biases. The quantizer makes one, when it meets the first, and hands it to the
# second as well. The format QDQ is right: it makes a copy for each.
#
# Sharing is common in networks for pictures: one head over all levels of a pyramid (RetinaNet, FCOS), one encoder for two
# pictures or two resolutions. Their levels have other ranges, so all but the first level are wrong. A bias of zeros does no harm.
#
# A change for it has been open since 2021 (microsoft/onnxruntime#7982).
# A way round: quant_format=QuantFormat.QDQ, the default; or give each convolution a bias of its own name before. edge_arseg
# writes QDQ alone.
#
# Seen below: mean error over the mean of the float output, for one convolution with a bias that reads two levels; the
# second has half the resolution and a sixteenth of the range.
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
FRAMES = {
    "fine": random.normal(0, 4, (1, 8, 24, 32)).astype(np.float32),
    "coarse": random.normal(0, 0.25, (1, 8, 12, 16)).astype(np.float32),
}
WEIGHTS = random.normal(0, 0.1, (8, 8, 3, 3)).astype(np.float32)
BIAS = random.uniform(-1, 1, 8).astype(np.float32)


class Calibration(CalibrationDataReader):
    def __init__(self):
        self.left = [FRAMES]

    def get_next(self):
        return self.left.pop() if self.left else None


def written(path, shared):
    """One head over two levels, with a bias of one name or of two names and the same values."""
    biases = {level: "bias" if shared else f"bias_{level}" for level in FRAMES}
    graph = helper.make_graph(
        [
            helper.make_node("Conv", [level, "w", biases[level]], [f"{level}_y"], name=f"head_{level}", pads=[1] * 4)
            for level in FRAMES
        ],
        "head",
        [helper.make_tensor_value_info(level, TensorProto.FLOAT, x.shape) for level, x in FRAMES.items()],
        [helper.make_tensor_value_info(f"{level}_y", TensorProto.FLOAT, x.shape) for level, x in FRAMES.items()],
        [numpy_helper.from_array(WEIGHTS, "w")] + [numpy_helper.from_array(BIAS, name) for name in sorted(set(biases.values()))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def outputs(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, FRAMES)


folder, seen = sys.argv[1], {}
plain, small = f"{folder}/float.onnx", f"{folder}/quantized.onnx"
print("onnxruntime", onnxruntime.__version__, "onnx", onnx.__version__)
for shared in (True, False):
    written(plain, shared)
    right = outputs(plain)
    for form in (QuantFormat.QDQ, QuantFormat.QOperator):
        for channels in (False, True):
            quantize_static(
                plain,
                small,
                Calibration(),
                quant_format=form,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=channels,
            )
            errors = [float(abs(y - r).mean() / abs(r).mean()) for y, r in zip(outputs(small), right, strict=True)]
            seen[shared, form, channels] = errors
            print(
                f"{'one bias' if shared else 'two biases'}, {form.name}, scales per {'channel' if channels else 'tensor'}:",
                *(f"{level} {error:.0%}" for level, error in zip(FRAMES, errors, strict=True)),
            )
for (shared, form, _), (fine, coarse) in seen.items():
    assert fine < 0.05, "the measurement itself is off"
    if shared and form is QuantFormat.QOperator:
        assert coarse > 0.5, "the behaviour has changed"
    else:
        assert coarse < 0.05, "the measurement itself is off"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
