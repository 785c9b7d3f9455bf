"""Names of layers as the libraries give them, and the nodes that they were made of."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from support.tensorrt import VERSIONS, install
from support.tensorrt.library import plan_from_graph

from edge_arseg.runtime.engines.onnxruntime.profile import layers_from_events
from edge_arseg.runtime.engines.openvino.counters import layers_from_counters
from edge_arseg.runtime.engines.tensorrt.engine import TensorRtEngine
from edge_arseg.runtime.engines.tensorrt.profiler import layers_from_profile, origins_of_layer, profiler_of

# two runs, as TensorRT tells them: a copy into another layout, a fused layer, two that run as one, a compiled region
TRACE = [
    ("Reformatting CopyNode for Input Tensor 0 to node_Conv_1 + PWN(node_relu)", 0.02),
    ("node_Conv_1 + PWN(node_relu)", 0.30),
    ("node_Conv_2 || node_Conv_3", 0.20),
    ("PWN(PWN(node_sigmoid), node_mul)", 0.04),
    ("{ForeignNode[node_permute...node_argmax]}", 0.50),
] * 2 + [("node_Conv_1 + PWN(node_relu)", 0.50)]


def test_tensorrt_names_a_layer_by_what_it_fused():
    layers = {one.name: one for one in layers_from_profile(TRACE, runs=2)}
    assert [one.origins for one in layers.values()] == [
        (),
        ("node_Conv_1", "node_relu"),
        ("node_Conv_2", "node_Conv_3"),
        ("node_sigmoid", "node_mul"),
        (),
    ]
    assert [one.kind for one in layers.values()] == ["reformat", "layer", "layer", "layer", "foreign"]
    assert layers["node_Conv_1 + PWN(node_relu)"].ms == pytest.approx(0.40)  # the last two of three
    assert origins_of_layer("node_Conv_9") == ("node_Conv_9",)


@pytest.mark.parametrize("version", VERSIONS)
def test_tensorrt_tells_layers_of_every_run_and_records_none_as_a_graph(version, sum_graph, tmp_path, monkeypatch):
    gpu = install(monkeypatch, version)
    path = tmp_path / "sum.plan"
    path.write_bytes(plan_from_graph(sum_graph.read_bytes(), version, gpu))
    import numpy as np
    import tensorrt

    feeds = {"image": np.ones((2, 3), np.float32), "other": np.ones((2, 3), np.float32)}
    times: list[tuple[str, float]] = []
    with TensorRtEngine(path) as engine:
        engine._device.call(engine._profile, profiler_of(tensorrt, times))
        for _ in range(4):
            engine.run(feeds)
    assert gpu.launches == 0
    assert len(times) == 8
    assert {one.origins for one in layers_from_profile(times, 3)} == {("total", "act_total"), ("double", "act_double")}


def test_onnx_runtime_hangs_its_own_ends_on_names():
    events = [
        {"cat": "Node", "name": f"{name}_kernel_time", "dur": dur, "args": {"op_name": "Conv"}}
        for name in ("relu_3_nchwc", "node_Conv_12_token_34", "node_matmul")
        for dur in (9000, 1000, 3000)
    ]
    events.append({"cat": "Session", "name": "model_run", "dur": 1})
    layers = layers_from_events(events, runs=2)
    assert [(one.origins, one.ms) for one in layers] == [
        (("relu_3",), 2.0),
        (("node_Conv_12",), 2.0),
        (("node_matmul",), 2.0),
    ]


def test_openvino_counts_what_ran_and_not_what_was_folded_into_it():
    def info(name, kind, status, us):
        status = SimpleNamespace(name=status)
        return SimpleNamespace(node_name=name, node_type=kind, status=status, real_time=timedelta(microseconds=us))

    runs = [
        [info("conv/WithoutBiases", "Convolution", "EXECUTED", us), info("relu", "Relu", "NOT_RUN", 0)]
        for us in (200, 400)
    ]
    (layer,) = layers_from_counters(runs, {"conv/WithoutBiases": ("conv/WithoutBiases", "conv", "relu")})
    assert (round(layer.ms, 6), layer.kind, layer.origins) == (
        0.3,
        "Convolution",
        ("conv/WithoutBiases", "conv", "relu"),
    )
