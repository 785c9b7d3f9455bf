#!/usr/bin/env bash
# OpenVINO 2026.4.1: with CACHE_DIR, compile_model(path) goes on with the old weights after the file of the weights was
# replaced, where the file that `path` names stayed as it was.
#
# The cache knows a model by the path, time and size of that one file. In a model.xml with a model.bin, and in a model.onnx
# with external data, all weights are in the other file. A model that was trained again has the same graph, byte for byte.
# What writes only the files that changed (git, DVC, an update of a board by differences) then replaces the weights alone. The
# program loads "the new model", nothing is said, and every result is that of the old one. It is the same where all is in
# one ONNX file, if an image of the system sets the times of its files to a constant: weights that were trained again have the
# same size.
#
# OpenVINO's page about the cache ("Model Caching Overview") advises compile_model(path) for speed and does not tell what the
# cache goes by. A way round: compile_model(read_model(path)), which goes by the weights as well; or one cache folder for each
# content of the files, as in edge_arseg (edge_arseg/runtime/engines/openvino/cache.py).
#
# Seen below: a sum of 27 ones times the weight, which is 1 first and 2 in the new file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check openvino==2026.4.1 onnx==1.23.2 numpy==2.4.6 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import filecmp
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import openvino as ov
from onnx import TensorProto, helper, numpy_helper

ONES = np.ones((1, 3, 3, 3), np.float32)


def written(folder, weight):
    """The same model in two forms, each with its weights in a file of their own."""
    folder.mkdir()
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "sum",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 3, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 1])],
        [numpy_helper.from_array(weight * ONES, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = str(folder / "model.onnx")
    onnx.save(model, path, save_as_external_data=True, location="model.onnx.data", size_threshold=0)
    ov.save_model(ov.convert_model(path), str(folder / "model.xml"), compress_to_fp16=False)


def result(path, cache=None, read=False):
    core = ov.Core()
    if cache:
        core.set_property({"CACHE_DIR": cache})
    return float(core.compile_model(core.read_model(path) if read else path, "CPU")(ONES)[0].item())


root = Path(sys.argv[1])
written(root / "old", 1.0)
written(root / "new", 2.0)
print("OpenVINO", ov.__version__)
for graph, weights in (("model.xml", "model.bin"), ("model.onnx", "model.onnx.data")):
    assert filecmp.cmp(root / "old" / graph, root / "new" / graph, shallow=False), "the measurement itself is off"
    path, cache, other = str(root / "old" / graph), str(root / f"{graph}-path"), str(root / f"{graph}-read")
    before = result(path, cache), result(path, other, read=True)
    shutil.copy(root / "new" / weights, root / "old" / weights)  # with a new time
    after = result(path, cache), result(path, other, read=True)
    print(f"{graph}: {before[0]:.0f}; with new weights: {after[0]:.0f} by path, {after[1]:.0f} by read_model")
    assert before == (27, 27) and result(path) == 54, "the measurement itself is off"
    assert after == (27, 54), "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
