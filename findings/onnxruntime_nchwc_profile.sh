#!/usr/bin/env bash
# ONNX Runtime 1.32.0 (CPU, x86): with all optimizations, the default, the profile of a convolution has no longer the
# name of its node. Who joins times and MACs by node names finds no convolution at all.
#
# The last level of optimization moves convolutions to the layout NCHWc. A node is made anew for it, and takes the name of
# its output with `_nchwc` behind it; after fusion with an activation that is the activation's output. So `first`,
# whose output goes through a Relu to `b`, is `b_nchwc`, and `second` with the output `y` is `y_nchwc`. One level below,
# ORT_ENABLE_EXTENDED, both keep their names. The operator in the profile (`Conv`) and the shapes are right in both.
# edge_arseg joins by the output's name where it meets such a layer (edge_arseg/runtime/engines/onnxruntime/profile.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import json
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

shape = [1, 32, 16, 16]
weights = [numpy_helper.from_array(np.full((32, 32, 3, 3), 0.01, np.float32), f"w{i}") for i in range(2)]
nodes = [
    helper.make_node("Conv", ["x", "w0"], ["a"], name="first", pads=[1] * 4),
    helper.make_node("Relu", ["a"], ["b"], name="relu"),
    helper.make_node("Conv", ["b", "w1"], ["y"], name="second", pads=[1] * 4),
]
ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)] for name in "xy"]
graph = helper.make_graph(nodes, "two_convolutions", *ends, weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
for level in ("ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL"):
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = f"{sys.argv[1]}/{level}"
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    session.run(None, {"x": np.zeros(shape, np.float32)})
    with open(session.end_profiling()) as file:
        events = [event for event in json.load(file) if event["cat"] == "Node"]
    convolutions = [event["name"] for event in events if event["args"].get("op_name", "").endswith("Conv")]
    print(level, *[name.removesuffix("_kernel_time") for name in convolutions if name.endswith("_kernel_time")])
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder" | tee "$folder/output"
diff "$folder/output" - <<'SEEN'
ORT_ENABLE_EXTENDED first second
ORT_ENABLE_ALL b_nchwc y_nchwc
SEEN
echo "as stated"
