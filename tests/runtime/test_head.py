"""The decode kernel with a bundle's classifier against the bundle's own graphs."""

import numpy as np
import pytest

from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.runtime.head import GraphHead, KernelHead
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec import tensor as names
from edge_arseg.spec.manifest import Role

pytest.importorskip("numba")
SOURCE = "test://street?size=90x122&frames=7"


@pytest.mark.parametrize("role", [Role.HEAD, Role.LR_HEAD])
def test_kernel_and_graph_give_the_same_class_map(own_bundle, role):
    bundle = read_bundle(own_bundle)
    golden = bundle.golden_frames()
    seen = {}
    with engines_from_bundle(bundle, (Role.LR, Role.FUSE, Role.HR, role), threads=1) as engines:
        key = engines[Role.HR].run({names.FRAME: golden.frames[0]})
        feature = engines[Role.LR].run({names.FRAME: golden.frames[1]})[names.LR_FEATURE]
        if role is Role.HEAD:
            feeds = {names.KEY_FEATURE: key[names.FEATURE], names.FLOW: golden.flows[1], names.LR_FEATURE: feature}
            feature = engines[Role.FUSE].run(feeds)[names.FUSED_FEATURE]
        for head in (GraphHead(engines[role]), KernelHead(bundle, role, threads=2)):
            seen[type(head)] = np.array(head.class_map(feature))
    assert seen[KernelHead].dtype == np.uint8
    assert len(np.unique(seen[KernelHead])) > 1
    assert np.mean(seen[KernelHead] == seen[GraphHead]) >= 0.9999


@pytest.mark.parametrize(("mode", "label"), [(Mode.AR, "ar, {} fusion"), (Mode.LR, "lr, {} head")])
def test_a_video_is_segmented_the_same_with_kernels_and_with_graphs(own_bundle, mode, label):
    maps = {}
    for fusion in ("kernel", "graph"):
        with Segmenter(own_bundle, mode=mode, fusion=fusion, threads=1) as segmenter:
            assert segmenter.pipeline.label == f"{label.format(fusion)}, onnxruntime"
            maps[fusion] = np.stack([np.array(result.class_map) for result in segmenter.stream(SOURCE)])
    assert np.mean(maps["kernel"] == maps["graph"]) >= 0.999
