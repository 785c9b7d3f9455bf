"""A checkpoint again from the shipped bundle: the same function, ready to be trained."""

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from edge_arseg.errors import ExportError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.zoo import ZOO
from tools.zoo.unfolding import load_branch, network_from_bundle, weights_of_branch

BUNDLE = ZOO / "camvid-compact-360x480.arseg"


@torch.no_grad()
def test_network_of_the_shipped_bundle_gives_its_golden_class_maps_and_is_normalised():
    bundle = read_bundle(BUNDLE)
    golden = bundle.golden_frames()
    network = network_from_bundle(bundle, golden.frames)
    last = len(golden.frames) - 1
    keyframe, frame, flow = map(torch.from_numpy, (golden.frames[0], golden.frames[last], golden.flows[last]))
    for logits, expected in (
        (network.hr_logits(frame), golden.hr_maps[last]),
        (network.lr_logits(frame, bundle.manifest.lr_scale), golden.lr_maps[last]),
        (network.ar_logits(keyframe, frame, flow, bundle.manifest.lr_scale), golden.ar_maps[last]),
    ):
        assert float((logits[0].argmax(0).numpy() == expected).mean()) > 0.9999
    images = torch.cat([network.image_from_frame(torch.from_numpy(picture)) for picture in golden.frames])
    network.hr.stem.eval()
    before = network.hr.stem(images)
    network.hr.stem.train()
    torch.testing.assert_close(network.hr.stem(images), before, rtol=1e-3, atol=1e-3)


def test_bundles_that_are_not_in_float32_and_weights_that_are_not_there_are_refused():
    with pytest.raises(ExportError, match="both branches in float32 expected"):
        network_from_bundle(read_bundle(ZOO / "camvid-compact-360x480-int8.arseg"), [np.zeros((360, 480, 3), np.uint8)])
    branch = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), nn.BatchNorm2d(4))
    with pytest.raises(ExportError, match="weights of 0 not found"):
        load_branch(branch, {}, where=BUNDLE)


@pytest.mark.parametrize("name", ["hr", "lr"])
def test_weights_of_bundles_from_before_the_branches_had_graphs_of_their_own_are_found(name, tmp_path):
    graph = BUNDLE / "onnx" / f"{name}.onnx"
    older = onnx.load(graph)
    for tensor in older.graph.initializer:
        tensor.name = tensor.name.replace("backbone.", f"network.{name}.")
    onnx.save(older, tmp_path / "older.onnx")
    weights, expected = weights_of_branch(tmp_path / "older.onnx", name), weights_of_branch(graph, name)
    assert len(expected) > 10
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[key], value) for key, value in expected.items())
