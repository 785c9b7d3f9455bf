"""The TensorRT engine against stand-ins shaped like five versions; numbers and speed need a GPU."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from support.tensorrt import VERSIONS, install
from support.tensorrt.gpu import Gpu
from support.tensorrt.library import plan_from_graph

from edge_arseg.errors import BuildError, EnvironmentUnfitError, MemoryExhaustedError, OptionError
from edge_arseg.runtime.device.cuda import DeviceArray
from edge_arseg.runtime.engines.contract import Engine
from edge_arseg.runtime.engines.tensorrt import engine as tensorrt_engine
from edge_arseg.runtime.engines.tensorrt.engine import TensorRtEngine
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.testing.engine import EngineTester


def plan(graph: Path, folder: Path, gpu: Gpu, version: str = "10.3.0.30", memory: int = 0) -> Path:
    path = folder / graph.with_suffix(".plan").name
    path.write_bytes(plan_from_graph(graph.read_bytes(), version, gpu, memory=memory))
    return path


@pytest.fixture
def gpu(monkeypatch) -> Gpu:
    return install(monkeypatch)


@pytest.fixture
def feeds() -> dict[str, np.ndarray]:
    return {"image": np.arange(6, dtype=np.float32).reshape(2, 3), "other": np.ones((2, 3), np.float32)}


@pytest.fixture
def resident(monkeypatch):
    """Keep the output ``double`` on the GPU."""
    monkeypatch.setattr(tensorrt_engine, "FEATURES", ("double",))


class TestTensorRtEngine(EngineTester):
    """Every question to every version, with CUDA graphs and without."""

    @pytest.fixture(autouse=True, params=[(v, True) for v in VERSIONS] + [(VERSIONS[0], False)], ids=str)
    def _installed(self, request, monkeypatch, tmp_path):
        self.version, graphs = request.param
        self.gpu, self.folder = install(monkeypatch, self.version, graphs=graphs), tmp_path
        yield
        assert self.gpu.memory == {}, "memory of the GPU was not freed"
        assert not any(self.gpu.contexts.values()), "a context was left behind in a thread"
        assert self.gpu.retained == 0

    def open(self, path: Path) -> Engine:
        if path.name.startswith("sum"):
            path = plan(path, self.folder, self.gpu, self.version)
        return TensorRtEngine(path)

    def test_a_run_again_and_again_gives_the_same(self, engine, feeds):
        """The first launches kernels, the second records them, the third only launches the record."""
        answers = [engine.run(feeds)["total"].copy() for _ in range(4)]
        assert all(np.array_equal(answer, feeds["image"] + 1) for answer in answers)

    def test_other_arrays_can_be_fed_between(self, engine, feeds):
        for step in range(5):
            image = feeds["image"] + step
            assert np.array_equal(engine.run({**feeds, "image": image})["double"], 2 * image)


def test_everything_runs_in_one_thread_whoever_asks(sum_graph, tmp_path, gpu, feeds):
    with TensorRtEngine(plan(sum_graph, tmp_path, gpu)) as engine:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(engine.run(feeds)["total"].copy()))
        thread.start()
        thread.join()
        engine.run(feeds)
    assert np.array_equal(answers[0], feeds["image"] + 1)
    assert len(gpu.threads) == 1
    assert threading.get_ident() not in gpu.threads


def test_nothing_is_allocated_after_the_first_run(sum_graph, tmp_path, gpu, feeds):
    with TensorRtEngine(plan(sum_graph, tmp_path, gpu)) as engine:
        engine.run(feeds)
        before = set(gpu.memory), set(gpu.pinned)
        for _ in range(5):
            engine.run({name: array + 1 for name, array in feeds.items()})
        assert (set(gpu.memory), set(gpu.pinned)) == before


def test_kernels_are_recorded_once_and_launched_as_a_graph(sum_graph, tmp_path, gpu, feeds):
    with TensorRtEngine(plan(sum_graph, tmp_path, gpu)) as engine:
        for _ in range(4):
            engine.run(feeds)
    assert gpu.launches == 3


def test_without_graphs_in_the_driver_kernels_are_launched(sum_graph, tmp_path, monkeypatch, feeds):
    gpu = install(monkeypatch, graphs=False)
    with TensorRtEngine(plan(sum_graph, tmp_path, gpu)) as engine:
        for _ in range(3):
            assert np.array_equal(engine.run(feeds)["double"], 2 * feeds["image"])
    assert gpu.launches == 0


def test_a_plan_that_cannot_be_recorded_still_runs(sum_graph, tmp_path, monkeypatch, gpu, feeds):
    library = gpu.driver_library()
    monkeypatch.setattr(library, "cuGraphInstantiateWithFlags", lambda *arguments: 801)
    monkeypatch.setattr(tensorrt_engine, "driver_library", lambda: library)
    with TensorRtEngine(plan(sum_graph, tmp_path, gpu)) as engine:
        for _ in range(3):
            assert np.array_equal(engine.run(feeds)["double"], 2 * feeds["image"])
    assert library.graphs == {}


@pytest.mark.usefixtures("resident")
def test_a_feature_goes_from_engine_to_engine_without_leaving_the_gpu(sum_graph, tmp_path, gpu, feeds):
    path = plan(sum_graph, tmp_path, gpu)
    with TensorRtEngine(path) as first, TensorRtEngine(path) as second:
        feature = first.run(feeds)["double"]
        assert isinstance(feature, DeviceArray)
        after_first = dict(gpu.copied)
        total = second.run({"image": feature, "other": feeds["other"]})["total"]
        size = feeds["image"].nbytes
        assert gpu.copied["up"] - after_first["up"] == size  # ``other`` alone
        assert gpu.copied["down"] - after_first["down"] == size  # ``total`` alone
        assert np.array_equal(total, 2 * feeds["image"] + 1)
        assert first.run(feeds)["double"] is feature
        assert np.array_equal(np.array(feature), 2 * feeds["image"])


@pytest.mark.usefixtures("resident")
def test_a_graph_is_recorded_anew_when_a_buffer_moves(sum_graph, tmp_path, gpu, feeds):
    """``verify`` feeds an array where the loop feeds another engine's feature."""
    path = plan(sum_graph, tmp_path, gpu)
    with TensorRtEngine(path) as first, TensorRtEngine(path) as second:
        feature = first.run(feeds)["double"]
        for image, total in ((feeds["image"], feeds["image"] + 1), (feature, 2 * feeds["image"] + 1)) * 2:
            for _ in range(3):
                assert np.array_equal(second.run({**feeds, "image": image})["total"], total)


@pytest.mark.usefixtures("resident")
def test_features_that_do_not_fit_are_refused(sum_graph, tmp_path, gpu, feeds):
    path = plan(sum_graph, tmp_path, gpu)
    with TensorRtEngine(path) as engine:
        feature = engine.run(feeds)["double"]
        wrong = object.__new__(DeviceArray)
        wrong.spec, wrong.address = TensorSpec("float16", (2, 3)), feature.address
        with pytest.raises(OptionError, match=r"float16\[2, 3\] seen, float32\[2, 3\] expected"):
            engine.run({**feeds, "image": wrong})
        with pytest.raises(OptionError, match="list seen, expected an array"):
            engine.run({**feeds, "image": [1.0]})


def test_a_plan_of_another_tensorrt_says_which(sum_graph, tmp_path, gpu):
    with pytest.raises(
        BuildError, match=r"another TensorRT .*expecting library version 10\.3.*got 8\.6.*edge-arseg comp"
    ):
        TensorRtEngine(plan(sum_graph, tmp_path, gpu, "8.6.2.3"))


def test_a_plan_of_another_gpu_says_which(sum_graph, tmp_path, gpu):
    with pytest.raises(BuildError, match=r"another GPU .*expecting compute 8\.7 got compute 7\.2.*edge-arseg compile"):
        TensorRtEngine(plan(sum_graph, tmp_path, Gpu(compute_capability=(7, 2))))


def test_too_little_memory_for_the_context(sum_graph, tmp_path, gpu):
    with pytest.raises(MemoryExhaustedError, match=r"lack of memory .*OutOfMemory.*smaller --size"):
        TensorRtEngine(plan(sum_graph, tmp_path, gpu, memory=2 << 30))
    assert gpu.memory == {}


def test_too_little_memory_for_the_buffers(sum_graph, tmp_path, monkeypatch):
    gpu = install(monkeypatch, gpu=Gpu(total=40))
    with pytest.raises(MemoryExhaustedError, match=r"0 of 0 MiB free.*smaller --size"):
        TensorRtEngine(plan(sum_graph, tmp_path, gpu))
    assert gpu.memory == {}
    assert not any(gpu.contexts.values())


def test_a_gpu_that_fails_is_a_build_error(sum_graph, tmp_path, gpu, feeds):
    with TensorRtEngine(plan(sum_graph, tmp_path, gpu)) as engine:
        gpu.fault = gpu.module.LaunchError("cuStreamSynchronize failed: an illegal memory access was encountered")
        with pytest.raises(BuildError, match=r"CUDA failed on Orin .*illegal memory access.*new process"):
            engine.run(feeds)
        gpu.fault = None


def test_without_a_gpu_the_message_names_group_and_runtime(sum_graph, tmp_path, monkeypatch):
    gpu = install(monkeypatch, gpu=Gpu(count=0))
    with pytest.raises(EnvironmentUnfitError, match=r"no CUDA-capable device.*group `video`.*--runtime nvidia"):
        TensorRtEngine(plan(sum_graph, tmp_path, gpu))


def test_without_pycuda_the_message_says_how_to_install_it(sum_graph, tmp_path, gpu, monkeypatch):
    path = plan(sum_graph, tmp_path, gpu)
    monkeypatch.delitem(sys.modules, "pycuda.driver")
    monkeypatch.delitem(sys.modules, "pycuda")
    with pytest.raises(EnvironmentUnfitError, match=r"pycuda is missing.*/usr/local/cuda/bin.*pip install pycuda"):
        TensorRtEngine(path)


def test_pycuda_without_a_driver(sum_graph, tmp_path, gpu, monkeypatch):
    path = plan(sum_graph, tmp_path, gpu)

    def fail(name):
        raise ImportError("libcuda.so.1: cannot open shared object file", name="pycuda._driver")

    monkeypatch.setattr("edge_arseg.runtime.device.cuda.import_module", fail)
    with pytest.raises(EnvironmentUnfitError, match=r"pycuda cannot be loaded \(libcuda\.so\.1.*--runtime nvidia"):
        TensorRtEngine(path)


def test_a_failed_start_leaves_nothing_behind(sum_graph, tmp_path, gpu):
    with pytest.raises(BuildError):
        TensorRtEngine(plan(sum_graph, tmp_path, gpu, "8.6.2.3"))
    assert not any(gpu.contexts.values())
    assert not any(thread.name == "edge-arseg-cuda" for thread in threading.enumerate())
