"""The providers for GPUs, on the CPU's: what is bound and refused is the same, what is computed where is not."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from edge_arseg.errors import BuildError, EnvironmentUnfitError, OptionError
from edge_arseg.runtime.engines.contract import Engine
from edge_arseg.runtime.engines.onnxruntime import gpu as onnxruntime_gpu
from edge_arseg.runtime.engines.onnxruntime.gpu import CudaOnnxRuntimeEngine, TensorRtOnnxRuntimeEngine, provider_cache
from edge_arseg.testing.engine import EngineTester


class HostMemoryEngine(CudaOnnxRuntimeEngine):
    """The engine with the CPU in the GPU's place."""

    provider = "CPUExecutionProvider"
    memory = "cpu"

    def providers(self):
        return [self.provider]


class TestCudaOnnxRuntimeEngine(EngineTester):
    def open(self, path: Path) -> Engine:
        return HostMemoryEngine(path, threads=1)


def test_a_type_that_no_graph_of_ours_has_is_refused(sum_graph, tmp_path):
    float64 = sum_graph.read_bytes().replace(b"\x08\x01\x12\x08", b"\x08\x0b\x12\x08")
    (tmp_path / "a.onnx").write_bytes(float64)
    with pytest.raises(BuildError, match=r"cannot load this graph .*'image' is a tensor\(double\)"):
        HostMemoryEngine(tmp_path / "a.onnx")


def test_a_feature_goes_from_engine_to_engine_as_it_is(sum_graph, monkeypatch):
    monkeypatch.setattr(onnxruntime_gpu, "FEATURES", ("double",))
    feeds = {"image": np.full((2, 3), 2, np.float32), "other": np.ones((2, 3), np.float32)}
    with HostMemoryEngine(sum_graph) as first, HostMemoryEngine(sum_graph) as second:
        feature = first.run(feeds)["double"]
        assert isinstance(feature, onnxruntime.OrtValue)
        for value in (2.0, 3.0):
            feeds["image"][:] = value
            assert first.run(feeds)["double"] is feature
            assert np.all(second.run({"image": feature, "other": feeds["other"]})["total"] == 2 * value + 1)
        wrong = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros((3, 3), np.float32))
        with pytest.raises(OptionError, match=r"\[3, 3\] seen, float32\[2, 3\] expected"):
            second.run({**feeds, "image": wrong})
        with pytest.raises(OptionError, match="list seen"):
            second.run({**feeds, "image": []})


@pytest.mark.parametrize("engine", [CudaOnnxRuntimeEngine, TensorRtOnnxRuntimeEngine])
def test_a_build_without_the_provider_is_refused(engine, sum_graph, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(EnvironmentUnfitError, match=rf"has no {engine.provider} .*pip install onnxruntime-gpu"):
        engine(sum_graph)


def test_a_provider_that_does_not_start_is_refused(sum_graph, monkeypatch):
    """ONNX Runtime itself would go on with the CPU."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(CudaOnnxRuntimeEngine, "providers", lambda self: ["CPUExecutionProvider"])
    with pytest.raises(EnvironmentUnfitError, match="CUDAExecutionProvider does not start here"):
        CudaOnnxRuntimeEngine(sum_graph)


def test_tensorrts_engines_are_kept_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    engine = object.__new__(TensorRtOnnxRuntimeEngine)
    (name, options), (behind, _), _ = engine.providers()
    assert (name, behind) == ("TensorrtExecutionProvider", "CUDAExecutionProvider")
    assert options["trt_engine_cache_enable"] is True
    assert Path(options["trt_engine_cache_path"]).is_dir()


def test_a_read_only_cache_is_refused(tmp_path, monkeypatch):
    (tmp_path / "edge-arseg").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(EnvironmentUnfitError, match=r"cannot be written.*for minutes.*export XDG_CACHE_HOME"):
        provider_cache()
    (tmp_path / "edge-arseg").unlink()
    monkeypatch.setattr("os.access", lambda *arguments: False)
    with pytest.raises(EnvironmentUnfitError, match="cannot be written"):
        provider_cache()
