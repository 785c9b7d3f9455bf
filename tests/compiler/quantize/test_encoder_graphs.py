"""HR graphs of encoders in int8: every layer, depthwise ones too, within 16 bits, and near to float32."""

import numpy as np
import onnx
import pytest
import torch

from benchmarks.int8_speed import int8_graph, session
from edge_arseg.compiler.export.branches import hr_graph
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.compiler.onnx_graph import OnnxGraph, attribute
from edge_arseg.compiler.quantize.rules.layers import layers_from_graph
from edge_arseg.compiler.quantize.rules.preparation import prepared_graph
from edge_arseg.compiler.quantize.rules.saturation import LARGEST_SUM, pair_sums
from edge_arseg.network.network import Network
from edge_arseg.spec.manifest import Role
from edge_arseg.street import scenes_from_street
from edge_arseg.testing.backbone import model_of
from edge_arseg.testing.networks import lived_in

SIZE = (96, 128)
DENSE = ("resnet18", "repvgg_a0")
SEPARABLE = ("efficientnet_lite0", "mobilenetv3_large_100", "fastvit_t8", "mobilenetv4_conv_small")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*DENSE, *SEPARABLE])
def test_an_encoder_in_int8(name):
    torch.manual_seed(0)
    graph = hr_graph(lived_in(Network(model_of(f"timm:{name}"))), ExportSettings(*SIZE, 0.5, 12))
    frames = [scene.rgb for scene in scenes_from_street(size=SIZE, count=8, rate=1.0, seed=3)]
    int8 = int8_graph(graph, Role.HR, frames[:4])
    sums = {entry.layer: entry.value for entry in pair_sums(int8)}
    assert set(sums) == set(layers_from_graph(prepared_graph(graph), Role.HR).weighted)
    assert max(sums.values()) <= LARGEST_SUM
    assert depthwise(int8) == depthwise(graph)
    assert depthwise(int8) <= set(sums)
    assert bool(depthwise(graph)) == (name in SEPARABLE)
    pair = [session(graph), session(int8)]
    maps = [[one.run(["class_map"], {"frame": frame})[0] for frame in frames[4:]] for one in pair]
    assert np.mean(np.array(maps[0]) == np.array(maps[1])) >= 0.85  # random weights: classes lie close together


def depthwise(model: onnx.ModelProto) -> set[str]:
    """Names of the convolutions in groups."""
    return {node.name for node in OnnxGraph(model).nodes if node.op_type == "Conv" and attribute(node, "group", 1) != 1}
