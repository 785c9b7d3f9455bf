"""The adapter's calls against a real module: TensorRT-RTX has TensorRT's Python API and starts without a GPU."""

import re
import sys
from pathlib import Path

import pytest
from support.tensorrt import install
from support.tensorrt.attributes import attributes

from edge_arseg.errors import BuildError, EnvironmentUnfitError
from edge_arseg.runtime.engines.tensorrt import engine as tensorrt_engine
from edge_arseg.runtime.engines.tensorrt.engine import TensorRtEngine
from edge_arseg.runtime.engines.tensorrt.library import tensorrt_log

rtx = pytest.importorskip("tensorrt_rtx")
pytestmark = pytest.mark.gate


def test_what_the_stub_of_11_4_has_the_real_one_has():
    missing = {
        name: [member for member in members if not hasattr(getattr(rtx, name), member)]
        for name, members in attributes("11.4").items()
    }
    missing["IBuilderConfig"] = [m for m in missing["IBuilderConfig"] if m != "DLA_core"]
    assert not any(missing.values()), missing


def test_every_call_of_the_engine_exists():
    source = Path(tensorrt_engine.__file__).read_text()
    for variable, real in (("engine", rtx.ICudaEngine), ("_context", rtx.IExecutionContext), ("runtime", rtx.Runtime)):
        used = set(re.findall(rf"\b{variable}\.([a-z]\w+)", source)) - {"onnxruntime_engine"}
        used = {name for name in used if f"edge_arseg.runtime.{name}" not in source}
        assert used, variable
        assert not [name for name in used if not hasattr(real, name)], variable


def test_the_types_have_the_names_that_are_asked_for():
    for name in tensorrt_engine._DTYPES:
        assert getattr(rtx.DataType, name).name == name
    assert {"INPUT", "OUTPUT"} <= set(dir(rtx.TensorIOMode))


@pytest.fixture
def real(monkeypatch):
    """The real module, with the stand-in for pycuda behind it."""
    gpu = install(monkeypatch)
    monkeypatch.setattr(rtx, "__version__", "11.4.0.0+rtx")
    monkeypatch.setitem(sys.modules, "tensorrt", rtx)
    return gpu


def test_the_real_refusal_of_junk_is_understood(real, tmp_path):
    (tmp_path / "junk.plan").write_bytes(b"junk" * 50)
    with pytest.raises((BuildError, EnvironmentUnfitError), match=r"junk\.plan: TensorRT 11.*does not take this plan"):
        TensorRtEngine(tmp_path / "junk.plan")
    assert not any(real.contexts.values())


def test_a_real_plan_without_a_gpu_is_refused_with_the_reason(real, tmp_path, sum_graph):
    """On a machine with a GPU that it supports this plan loads; the stand-in for the memory would not do then."""
    logger = tensorrt_log(rtx)
    builder = rtx.Builder(logger)
    network = builder.create_network(0)
    parser = rtx.OnnxParser(network, logger)
    assert parser.parse(sum_graph.read_bytes())
    plan = builder.build_serialized_network(network, builder.create_builder_config())
    assert plan is not None
    (tmp_path / "sum.plan").write_bytes(bytes(plan))
    if Path("/dev/nvidia0").exists():
        pytest.skip("there is a GPU here")
    with pytest.raises(EnvironmentUnfitError, match=r"driver is missing or older.*--backend onnxruntime"):
        TensorRtEngine(tmp_path / "sum.plan")
