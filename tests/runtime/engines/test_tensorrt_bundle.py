"""From plans as ``compile`` keeps them to class maps, on stand-ins for TensorRT and a GPU."""

import shutil

import numpy as np
import pytest
from support.tensorrt import install
from support.tensorrt.library import plan_from_graph

from edge_arseg.compiler.engines.store import PlanStore
from edge_arseg.errors import BuildError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.runtime.stages import StageClock
from edge_arseg.runtime.verification import VERIFIED_ROLES, agreements
from edge_arseg.spec.engine_key import EngineKey, graph_digests


@pytest.fixture(params=["8.5.2.2", "11.4.1.1"])
def gpu(request, monkeypatch):
    gpu = install(monkeypatch, request.param)
    gpu.version = request.param
    return gpu


@pytest.fixture
def bundle(own_bundle, tmp_path, gpu):
    bundle = read_bundle(shutil.copytree(own_bundle, tmp_path / "own.arseg"))
    key = EngineKey(graph_digests(bundle.manifest), "tensorrt", gpu.version, (8, 7), 8, "Orin", ("level=3",))
    store = PlanStore(bundle.path / "engines", key)
    store.check_writable("")
    for role in VERIFIED_ROLES:
        part = store.part(role)
        part.write_bytes(plan_from_graph(bundle.graph_path(role).read_bytes(), gpu.version, gpu))
        store.keep(role, part, {})
    return bundle


def test_golden_frames_get_the_expected_classes(bundle):
    with engines_from_bundle(bundle, VERIFIED_ROLES, backend="tensorrt") as engines:
        rows = agreements(engines, bundle.golden_frames())
    assert min(row.agreement for row in rows) > 0.999


def test_a_frame_and_its_flow_go_up_and_a_class_map_comes_down(bundle, gpu):
    golden = bundle.golden_frames()
    frame, flow, class_map = golden.frames[0].nbytes, golden.flows[0].nbytes, golden.hr_maps[0].nbytes
    with Segmenter(bundle, backend="tensorrt") as segmenter:
        for _ in range(2):
            gpu.copied = {"up": 0, "down": 0}
            seen = segmenter.pipeline.key(golden.frames[0], StageClock())
            assert np.mean(seen == golden.ar_maps[0]) > 0.999
            assert gpu.copied == {"up": frame, "down": class_map}
            gpu.copied = {"up": 0, "down": 0}
            seen = segmenter.pipeline.between(golden.frames[1], golden.flows[1], StageClock())
            assert np.mean(seen == golden.ar_maps[1]) > 0.999
            assert gpu.copied == {"up": frame + flow, "down": class_map}
        assert segmenter.pipeline.label == "ar, graph fusion, tensorrt"
    assert gpu.memory == {}


def test_the_kernel_of_the_cpu_is_not_taken_for_features_on_the_gpu(bundle):
    with pytest.raises(BuildError, match=r"no fusion kernel for this GPU, sm_87.*edge-arseg compile .*--fusion graph"):
        Segmenter(bundle, backend="tensorrt", fusion="kernel")
