"""Times of layers."""

import pytest
from support.bench.tiny import choose, options

from edge_arseg.bench.bench import bench_from_options
from edge_arseg.bench.layers import layers_of_run
from edge_arseg.bench.plans.plan import PlannedRun
from edge_arseg.bench.records.run import RunSettings
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("shipped", ["camvid-compact-360x480", "camvid-compact-360x480-int8"])
def test_layers_are_timed_beside_their_macs_which_add_up_to_those_of_the_manifest(backend, shipped):
    pytest.importorskip(backend)
    pytest.importorskip("onnx")
    from edge_arseg.compiler.layer_macs import macs_from_graph
    from edge_arseg.runtime.bundles.zoo import ZOO

    choice = choose(ZOO / f"{shipped}.arseg", (Mode.AR,), EngineOptions(backend=backend, threads=1))[0]
    settings = RunSettings("ar", backend, "auto", 1, "int8", 0.5, 12, "auto")
    layers = layers_of_run(PlannedRun(choice, settings, "", 0), macs_from_graph)
    cost = choice.bundle.manifest.cost
    for graph, macs in (("hr", cost.hr_macs), ("lr", cost.lr_macs)):
        own = [layer for layer in layers if layer.graph == graph]
        assert sum(layer.macs or 0 for layer in own) == macs
        assert all(layer.ms >= 0 for layer in own)
        assert all(layer.macs for layer in own if layer.kind in ("Conv", "QLinearConv", "Convolution"))


def test_layers_are_left_out_where_nobody_asks(bundle):
    none, _ = bench_from_options(options(bundle, frames=8, layers=False, sensors=False), choose)
    assert none.runs[0].layers == ()
