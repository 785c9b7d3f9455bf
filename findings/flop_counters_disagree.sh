#!/usr/bin/env bash
# Counters of multiply-accumulates (MACs) disagree by factors on layers that segmentation networks have: thop 0.1.1,
# torchinfo 1.8.0, fvcore 0.1.5, the counter of PyTorch 2.13.0 and its profiler, onnx-tool 1.0.1. On ordinary and grouped
# convolutions all are right, so a check on a ResNet shows nothing.
#
# - A transposed convolution multiplies each pixel of its *input* by the whole kernel. thop and torchinfo count each pixel of the
#   output: stride squared too much, 64 times for the upsampling by 8 at the end of an FCN. onnx-tool counts twice of that.
#   The profiler (with_flops=True) counts nothing.
# - torchinfo counts a Linear once for each picture and not once for each token, which is the number of weights: 1/768 of it
#   here, for tokens of 24 x 32. Nearly all of a SegFormer is such layers.
# - thop and torchinfo see modules alone: F.conv2d and torch.matmul (attention) count nothing.
#
# Papers on efficient networks name GFLOPs by any of them. A way round: FlopCounterMode or fvcore, and what counts twice is to
# be halved: PyTorch counts a multiplication and an addition as two. edge_arseg counts so (edge_arseg/compiler/export/macs.py).
#
# Seen below: MACs that each counts, over those by hand.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check torch==2.13.0 numpy==2.4.6 onnx==1.23.2 \
    thop==0.1.1.post2209072238 torchinfo==1.8.0 fvcore==0.1.5.post20221221 onnx-tool==1.0.1 2>/dev/null
cat > "$folder/seen.py" <<'PY'
import sys
import warnings

import numpy as np
import onnx
import onnx_tool
import thop
import torch
import torch.nn.functional as F
import torchinfo
from fvcore.nn import FlopCountAnalysis
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

warnings.filterwarnings("ignore")
X = torch.ones(1, 16, 24, 32)
PIXELS = 24 * 32


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.ones(32, 16, 3, 3))

    def forward(self, x):
        return F.conv2d(x, self.kernel, padding=1)


class Products(nn.Module):
    def forward(self, x):
        return torch.matmul(x, x.transpose(-1, -2))


def by_pytorch(network, x):
    with FlopCounterMode(display=False) as counter:
        network(x)
    return counter.get_total_flops() / 2


def by_profiler(network, x):
    with torch.profiler.profile(with_flops=True) as profile:
        network(x)
    return sum(event.flops or 0 for event in profile.key_averages()) / 2


def by_fvcore(network, x):
    counter = FlopCountAnalysis(network, x)
    counter.unsupported_ops_warnings(False)
    return counter.total()


COUNTERS = {
    "thop": lambda network, x: thop.profile(network, (x,), verbose=False)[0],
    "torchinfo": lambda network, x: torchinfo.summary(network, input_data=[x], verbose=0).total_mult_adds,
    "fvcore": by_fvcore,
    "PyTorch": by_pytorch,
    "profiler": by_profiler,
}
LAYERS = {
    "Conv2d 3x3": (nn.Conv2d(16, 32, 3, padding=1, bias=False), X, 16 * 32 * 9 * PIXELS),
    "Conv2d, 4 groups": (nn.Conv2d(16, 32, 3, padding=1, groups=4, bias=False), X, 4 * 32 * 9 * PIXELS),
    "ConvTranspose2d 2x2, stride 2": (nn.ConvTranspose2d(16, 32, 2, 2, bias=False), X, 16 * 32 * 4 * PIXELS),
    "ConvTranspose2d 16x16, stride 8": (nn.ConvTranspose2d(16, 12, 16, 8, 4, bias=False), X, 16 * 12 * 256 * PIXELS),
    "Linear, 768 tokens": (nn.Linear(16, 64, bias=False), torch.ones(1, PIXELS, 16), 16 * 64 * PIXELS),
    "F.conv2d": (Functional(), X, 16 * 32 * 9 * PIXELS),
    "matmul": (Products(), X, 16 * 24 * 24 * 32),
}
EXPECTED = {
    "Conv2d 3x3": (1, 1, 1, 1, 1),
    "Conv2d, 4 groups": (1, 1, 1, 1, 1),
    "ConvTranspose2d 2x2, stride 2": (4, 4, 1, 1, 0),
    "ConvTranspose2d 16x16, stride 8": (64, 64, 1, 1, 0),
    "Linear, 768 tokens": (1, 1 / 768, 1, 1, 1),
    "F.conv2d": (0, 0, 1, 1, 1),
    "matmul": (0, 0, 1, 1, 1),
}


def by_onnx_tool(path, operator, weights, **attributes):
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", "w"], ["y"], name="layer", **attributes)],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(X.shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones(weights, np.float32), "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    model = onnx_tool.Model(path)
    model.graph.shape_infer()
    model.graph.profile()
    return float(np.ravel(model.graph.macs)[0])


with torch.no_grad():
    for name, (network, x, right) in LAYERS.items():
        seen = [count(network.eval(), x) / right for count in COUNTERS.values()]
        print(f"{name}:", ", ".join(f"{counter} {part:.3g}" for counter, part in zip(COUNTERS, seen)), flush=True)
        assert np.allclose(seen, EXPECTED[name], rtol=0.01), "the behaviour has changed"
path = f"{sys.argv[1]}/layer.onnx"
plain = by_onnx_tool(path, "Conv", (32, 16, 3, 3), pads=[1] * 4) / (16 * 32 * 9 * PIXELS)
twice = by_onnx_tool(path, "ConvTranspose", (16, 32, 2, 2), strides=[2, 2]) / (16 * 32 * 4 * PIXELS)
print(f"onnx-tool: Conv 3x3 {plain:.3g}, ConvTranspose 2x2, stride 2 {twice:.3g}")
assert plain == 1, "the measurement itself is off"
assert twice == 8, "the behaviour has changed"
PY
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
