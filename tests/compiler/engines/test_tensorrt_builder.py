"""The TensorRT builder on modules shaped like each version, and on TensorRT-RTX, which needs no GPU to build."""

import json
import threading
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.networks.small import own_network
from support.tensorrt import VERSIONS, building
from support.tensorrt.gpu import Gpu
from support.tensorrt.library import stub_library

from edge_arseg.compiler.engines.contract import BuildSettings
from edge_arseg.compiler.engines.tensorrt import TensorRtBuilder
from edge_arseg.compiler.export.fusion import fuse_graph
from edge_arseg.compiler.export.settings import ExportSettings
from edge_arseg.errors import BuildError, EnvironmentUnfitError, MemoryExhaustedError
from edge_arseg.runtime.engines.tensorrt.library import tensorrt_log
from edge_arseg.spec.manifest import Precision

SETTINGS = BuildSettings(512 << 20)
WEAK = ("8.5.2.2", "8.6.2.3")


def convolution(dtype=TensorProto.FLOAT) -> bytes:
    """A picture through a 3x3 convolution, in one type."""
    weight = numpy_helper.from_array(
        np.ones((4, 3, 3, 3), np.float16 if dtype == TensorProto.FLOAT16 else np.float32), "weight"
    )
    nodes = [helper.make_node("Conv", ["image", "weight"], ["sum"], pads=[1, 1, 1, 1])]
    graph = helper.make_graph(
        nodes,
        "convolution",
        [helper.make_tensor_value_info("image", dtype, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("sum", dtype, [1, 4, 8, 8])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


class Seen:
    """A stub module with its GPU, and what the build did with it."""

    def __init__(self, version, monkeypatch):
        self.gpu = Gpu()
        self.gpu.driver_module()
        self.gpu.contexts[threading.get_ident()] = ["primary"]
        self.module = stub_library(version, self.gpu)
        self.configs, self.networks = [], []
        for name, kept in (("create_builder_config", self.configs), ("create_network", self.networks)):
            monkeypatch.setattr(self.module.Builder, name, remembering(getattr(self.module.Builder, name), kept))
        monkeypatch.setattr(building.Network, "num_layers", 0, raising=False)

    def set_layers(self, monkeypatch, layers):
        monkeypatch.setattr(building.Network, "num_layers", len(layers), raising=False)
        monkeypatch.setattr(building.Network, "get_layer", lambda _, i: layers[i], raising=False)

    def build(self, precision=Precision.FP32, settings=SETTINGS, cache=b"", graph=None):
        return TensorRtBuilder(self.module).build(graph or convolution(), precision, settings, cache, lambda _: None)


def remembering(function, kept):
    def call(*arguments):
        kept.append(function(*arguments))
        return kept[-1]

    return call


@pytest.fixture(params=VERSIONS)
def seen(request, monkeypatch):
    return Seen(request.param, monkeypatch)


@pytest.fixture
def weak(monkeypatch):
    return Seen("8.6.2.3", monkeypatch)


@pytest.mark.parametrize("precision", Precision)
def test_every_version_builds_every_precision(seen, precision):
    made = seen.build(precision)
    assert len(made.plan) > 100
    assert made.timing_cache == b"timing"
    (config,) = seen.configs
    names = {flag.name for flag in config.stub_flags}
    assert "TF32" not in names
    if seen.module.__version__ in WEAK:
        expected = {
            Precision.FP32: set(),
            Precision.FP16: {"FP16", "OBEY_PRECISION_CONSTRAINTS"},
            Precision.INT8: {"FP16", "INT8", "OBEY_PRECISION_CONSTRAINTS"},
            Precision.MIXED: {"FP16", "INT8", "OBEY_PRECISION_CONSTRAINTS"},
        }
        assert names == expected[precision]
    else:
        assert names == set()


def test_networks_are_strongly_typed_where_that_exists(seen):
    seen.build()
    (network,) = seen.networks
    kinds = seen.module.NetworkDefinitionCreationFlag
    for name in ("STRONGLY_TYPED", "EXPLICIT_BATCH"):
        if hasattr(kinds, name):
            assert network.stub_flags >> int(getattr(kinds, name)) & 1, name
    assert TensorRtBuilder(seen.module).strongly_typed is (seen.module.__version__ not in WEAK)


def test_the_flags_of_the_key_say_what_a_plan_depends_on(seen):
    builder = TensorRtBuilder(seen.module)
    typed = () if seen.module.__version__ in WEAK else ("strongly-typed",)
    assert builder.flags(SETTINGS) == ("no-tf32", *typed, "workspace=512MiB")
    assert builder.flags(BuildSettings(256 << 20, 5)) == ("level=5", "no-tf32", *typed, "workspace=256MiB")


def test_settings_reach_the_configuration(seen):
    seen.build(settings=BuildSettings(300 << 20, 5), cache=b"learnt")
    (config,) = seen.configs
    assert config.stub_pools == {seen.module.MemoryPoolType.WORKSPACE: 300 << 20}
    assert config.profiling_verbosity is seen.module.ProfilingVerbosity.DETAILED
    assert bytes(config.stub_cache.serialize()) == b"learnt"
    if hasattr(type(config), "builder_optimization_level"):
        assert config.builder_optimization_level == 5
    else:
        assert seen.module.__version__ == "8.5.2.2"


def test_a_timing_cache_of_another_machine_is_left(seen, monkeypatch):
    made = []

    def refuse_the_first(self, cache, ignore_mismatch):
        assert ignore_mismatch is False
        made.append(bytes(cache.serialize()))
        self.stub_cache = cache
        return len(made) > 1

    config_class = type(seen.module.Builder(tensorrt_log(seen.module)).create_builder_config())
    monkeypatch.setattr(config_class, "set_timing_cache", refuse_the_first)
    assert seen.build(cache=b"foreign").timing_cache == b"timing"
    assert made == [b"foreign", b"timing"]


def test_a_graph_that_cannot_be_read_says_why(seen):
    with pytest.raises(BuildError, match=r"cannot read this graph: .*export it again"):
        seen.build(graph=b"nonsense")


def test_no_gpu_says_where_to_build(seen, monkeypatch):
    def nothing(self, logger):
        logger.log(seen.module.ILogger.ERROR, "CUDA initialization failure with error: 35")
        raise TypeError("pybind11::init(): factory function returned nullptr")

    monkeypatch.setattr(seen.module.Builder, "__init__", nothing)
    with pytest.raises(EnvironmentUnfitError, match=r"finds no GPU .*error: 35.*--no-engines"):
        seen.build()


@pytest.mark.parametrize(
    ("message", "error", "advice"),
    [
        ("10: Could not find any implementation for node conv", BuildError, "Could not find any implementation"),
        ("2: [virtualMemoryBuffer.cpp] OutOfMemory (Requested size was 99)", MemoryExhaustedError, "--workspace 256"),
        (
            "[localCheckMacros.cpp] Error Code 2: OutOfMemory (Requested size was 542412728 bytes.)",
            MemoryExhaustedError,
            r"more scratch memory .* than the 512 MiB .*--workspace 1024\. .*--graph hr --graph lr --graph head",
        ),
        (
            "Error Code 1: Myelin (no tactics to implement the operation within workspace limit)",
            MemoryExhaustedError,
            r"than the 512 MiB .*within workspace limit.*--workspace 1024\.",
        ),
    ],
)
def test_a_build_that_fails_says_why(seen, monkeypatch, message, error, advice):
    def fail(self, network, config):
        self.logger.log(seen.module.ILogger.WARNING, "something harmless")
        self.logger.log(seen.module.ILogger.ERROR, message)

    monkeypatch.setattr(seen.module.Builder, "build_serialized_network", fail)
    with pytest.raises(error, match=advice) as caught:
        seen.build()
    assert "harmless" not in str(caught.value)


@pytest.mark.parametrize(("precision", "name"), [(Precision.FP16, "fp16"), (Precision.INT8, "int8")])
def test_a_gpu_without_the_precision_is_refused(seen, monkeypatch, precision, name):
    attribute = f"platform_has_fast_{name}"
    if not hasattr(seen.module.Builder, attribute):
        assert seen.module.__version__.startswith("11.")
        return
    monkeypatch.setattr(seen.module.Builder, attribute, property(lambda _: False))
    with pytest.raises(BuildError, match=rf"does not support {name.upper()} .*--hr fp32 --lr fp32"):
        seen.build(precision)
    seen.build(Precision.FP32)


def test_what_one_build_said_is_forgotten_by_the_next(seen):
    with pytest.raises(BuildError):
        seen.build(graph=b"nonsense")
    log = tensorrt_log(seen.module)
    log.log(seen.module.ILogger.ERROR, "old")
    log.log(seen.module.ILogger.WARNING, "old")
    assert seen.build().warnings == ()
    assert not log.errors


# Before strong typing


def layer(kind, inputs, output):
    """A layer of a network; ``inputs`` and ``output`` are names with a type, like ``x:HALF``."""

    def tensor(text):
        name, _, dtype = text.partition(":")
        return SimpleNamespace(name=name, dtype=SimpleNamespace(name=dtype))

    feeds, made, pinned = [tensor(text) for text in inputs], tensor(output), {}
    return SimpleNamespace(
        type=SimpleNamespace(name=kind),
        num_inputs=len(feeds),
        num_outputs=1,
        get_input=lambda i: feeds[i],
        get_output=lambda i: made,
        set_output_type=lambda i, dtype: pinned.update({i: dtype.name}),
        precision=None,
        pinned=pinned,
    )


def test_layers_keep_the_type_that_the_graph_gives_them(weak, monkeypatch):
    half = layer("CONVOLUTION", ["a:HALF"], "b:HALF")
    island = layer("SOFTMAX", ["b:FLOAT"], "c:FLOAT")
    index = layer("TOPK", ["c:FLOAT"], "d:INT32")
    dequantize = layer("DEQUANTIZE", ["q:INT8"], "e:FLOAT")
    quantized = layer("CONVOLUTION", ["e:FLOAT"], "f:FLOAT")
    constant = layer("CONSTANT", [], "g:FLOAT")
    weak.set_layers(monkeypatch, [half, island, index, dequantize, quantized, constant])
    weak.build(Precision.MIXED)
    assert (half.precision.name, half.pinned) == ("HALF", {0: "HALF"})
    assert (island.precision.name, island.pinned) == ("FLOAT", {0: "FLOAT"})
    for free in (index, dequantize, quantized, constant):
        assert (free.precision, free.pinned) == (None, {})


def test_a_float32_graph_needs_no_pins(weak, monkeypatch):
    island = layer("SOFTMAX", ["b:FLOAT"], "c:FLOAT")
    weak.set_layers(monkeypatch, [island])
    weak.build(Precision.FP32)
    assert island.precision is None


# For real, as far as that goes without a GPU


@pytest.mark.gate
@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_tensorrt_rtx_builds(dtype):
    trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed (extra: gate)")
    builder, said = TensorRtBuilder(trt), []
    made = builder.build(convolution(dtype), Precision.FP16, SETTINGS, b"", said.append)
    assert len(made.plan) > 1000
    assert made.warnings == ()
    assert said[:3] == ["starting TensorRT", "reading the graph", "building"]
    assert made.layers == "" or json.loads(made.layers)
    again = builder.build(convolution(dtype), Precision.FP16, SETTINGS, made.timing_cache, said.append)
    assert len(again.plan) > 1000


@pytest.mark.gate
def test_tensorrt_rtx_says_that_its_limit_is_too_small_as_the_builder_expects():
    """The same words as for memory that is not there, and what to do about it is the opposite."""
    trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed (extra: gate)")
    network = own_network()
    graph = fuse_graph(network, ExportSettings(720, 960, 0.5, 5)).SerializeToString()
    with pytest.raises(MemoryExhaustedError, match=r"than the 1 MiB that it may take .*--workspace 2\."):
        TensorRtBuilder(trt).build(graph, Precision.FP32, BuildSettings(1 << 20), b"", lambda _: None)
    assert TensorRtBuilder(trt).build(graph, Precision.FP32, BuildSettings(4 << 30), b"", lambda _: None).plan


@pytest.mark.gate
def test_tensorrt_rtx_refuses_a_broken_graph():
    trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed (extra: gate)")
    with pytest.raises(BuildError, match="cannot read this graph"):
        TensorRtBuilder(trt).build(b"nonsense", Precision.FP32, SETTINGS, b"", lambda _: None)
