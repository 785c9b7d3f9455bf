"""Weights of exported graphs back to a backbone: convolutions with their normalisations taken apart again."""

from copy import deepcopy

import onnx
import pytest
import torch
from torch import nn

from edge_arseg.errors import CheckpointError
from edge_arseg.network.backbones.registry import BUILT_IN, backbone_from_name
from edge_arseg.network.checkpoint.folded import (
    convolutions_from_graph,
    load_folded,
    norms_behind,
    spread_normalisations,
)
from edge_arseg.runtime.bundles.zoo import ZOO

COMPACT = ZOO / "camvid-compact-360x480.arseg" / "onnx"


@pytest.mark.parametrize("name", ["compact", "lite0", "bise18"])
def test_each_convolution_without_a_bias_has_a_normalisation_behind_it(name):
    assert name in BUILT_IN
    backbone = backbone_from_name(name).eval()
    norms = norms_behind(backbone)
    bare = [module for module in backbone.modules() if isinstance(module, nn.Conv2d) and module.bias is None]
    assert len(bare) > 10
    assert set(bare) <= set(norms)
    assert all(norm.num_features == conv.out_channels for conv, norm in norms.items())


@torch.no_grad()
def test_statistics_of_images_change_nothing_in_eval_mode_and_little_in_training():
    backbone = backbone_from_name("compact")
    load_folded(backbone, onnx.load(COMPACT / "hr.onnx"), name="hr", where="x")
    images = [torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(seed)) for seed in range(4)]
    before = [backbone(image) for image in images]
    untouched = deepcopy(backbone.stem).train()(torch.cat(images))
    spread_normalisations(backbone, images)
    for image, expected in zip(images, before, strict=True):
        torch.testing.assert_close(backbone(image), expected, rtol=1e-3, atol=1e-3)
    expected = backbone.stem(torch.cat(images))
    trained = backbone.stem.train()(torch.cat(images))
    torch.testing.assert_close(trained, expected, rtol=1e-2, atol=1e-2)
    assert float((untouched - expected).abs().max()) > 0.1


def test_weights_that_are_not_there_are_all_told():
    graph = onnx.load(COMPACT / "hr.onnx")
    for tensor in graph.graph.initializer:
        tensor.name = tensor.name.replace("backbone.from4", "other.from4")
    for node in graph.graph.node:
        node.input[:] = [name.replace("backbone.from4", "other.from4") for name in node.input]
    with pytest.raises(CheckpointError, match=r"x: the graph hr .* Compact\n  from4: nothing seen, \[64, 48, 1, 1\]"):
        load_folded(backbone_from_name("compact"), graph, name="hr", where="x")
    with pytest.raises(CheckpointError, match=r"does not fit Lite1\n  encoder.stem: nothing seen"):
        load_folded(backbone_from_name("lite1"), graph, name="hr", where="x")


@pytest.mark.parametrize("name", ["hr", "lr"])
def test_weights_of_bundles_from_before_the_branches_had_graphs_of_their_own_are_found(name):
    graph, older = onnx.load(COMPACT / f"{name}.onnx"), onnx.load(COMPACT / f"{name}.onnx")
    for part in (*older.graph.initializer, *older.graph.node):
        if isinstance(part, onnx.TensorProto):
            part.name = part.name.replace("backbone.", f"network.{name}.")
        else:
            part.input[:] = [key.replace("backbone.", f"network.{name}.") for key in part.input]
    expected, found = convolutions_from_graph(graph, name), convolutions_from_graph(older, name)
    assert len(expected) > 10
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key][0], weight) for key, (weight, _) in expected.items())
