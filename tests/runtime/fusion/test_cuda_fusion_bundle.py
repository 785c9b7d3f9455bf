"""From ``compile`` to class maps with the kernel between the engines, on stand-ins for nvcc, TensorRT and a GPU.

The stand-in for nvcc compiles nothing, and what the stand-in for the GPU launches is the kernel's source compiled for
the host. The rest is the package's own: choosing and storing kernels, building and finding plans, opening, the loop.
"""

import logging
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from support.bundles.kernel import NANO, compiled
from support.gpu import host as cuda_host
from support.gpu.stub import KernelGpu
from support.tensorrt import install

from edge_arseg.compiler.target.steps import StepState
from edge_arseg.errors import BuildError, EnvironmentUnfitError
from edge_arseg.runtime.bundles.gate import required_agreement
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.choice.trial import attempt_of
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec.frame import Branch
from edge_arseg.spec.manifest import Precision, Role

pytestmark = pytest.mark.skipif(cuda_host.compiler() is None, reason="no C++ compiler to run the kernel on the host")


@pytest.fixture
def gpu(monkeypatch):
    gpu = KernelGpu()
    install(monkeypatch, gpu=gpu)
    return gpu


@pytest.fixture(scope="module", params=[Precision.FP16, Precision.FP32], ids=["fp16", "fp32"])
def compilations(request, own_bundle, tmp_path_factory):
    return compiled(own_bundle, tmp_path_factory.mktemp("compiled"), request.param)


@pytest.fixture
def bundle(compilations):
    return read_bundle(compilations[1].bundle)


@pytest.fixture(scope="module")
def half(own_bundle, tmp_path_factory):
    return compiled(own_bundle, tmp_path_factory.mktemp("half"), Precision.FP16)[1].bundle


@pytest.fixture
def damaged(half, tmp_path):
    """The float16 one to take files away from."""
    return read_bundle(shutil.copytree(half, tmp_path / "own.arseg"))


def test_compile_puts_the_kernel_in_and_builds_the_head(compilations, bundle):
    host, board = compilations
    states = [{step.name: step.state for step in found.steps} for found in (host, board)]
    assert states[0] == {"kernels": StepState.MADE, "bundle": StepState.MADE, "engines": StepState.ELSEWHERE}
    engines = {f"engine {role.value}": StepState.MADE for role in Role}
    assert states[1] == {"kernels": StepState.DONE, "bundle": StepState.DONE, **engines}
    (kernel,) = bundle.manifest.kernels
    assert (kernel.sm, kernel.compiler) == (87, "nvcc 12.6")
    assert (bundle.path / kernel.file).read_bytes() == KernelGpu.image
    assert (board.engines / "head.plan").is_file()


@pytest.mark.parametrize("fusion", ["auto", "kernel"])
def test_golden_frames_get_their_classes_through_the_kernel(bundle, gpu, fusion):
    """A frame and its flow go up and a class map comes down, nothing else; the kernel is launched once per frame."""
    golden = bundle.golden_frames()
    entry = "fuse_half_8" if bundle.manifest.graphs[Role.HEAD].precision is Precision.FP16 else "fuse_mixed_8"
    wanted = max(required_agreement(bundle.manifest), 0.99)
    frame, flow, class_map = golden.frames[0].nbytes, golden.flows[0].nbytes, golden.ar_maps[0].nbytes
    with Segmenter(bundle, backend="tensorrt", fusion=fusion) as segmenter:
        assert segmenter.pipeline.label == "ar, kernel fusion, tensorrt"
        for _ in range(2):
            for i, distance in enumerate(golden.distances):
                gpu.copied, gpu.launched = {"up": 0, "down": 0}, []
                clock = StageClock()
                if distance == 0:
                    seen, stages = segmenter.pipeline.key(golden.frames[i], clock), ["hr"]
                else:
                    seen = segmenter.pipeline.between(golden.frames[i], golden.flows[i], clock)
                    stages = ["lr", "fuse", "head"]
                assert np.mean(seen == golden.ar_maps[i]) >= wanted
                assert gpu.copied == {"up": frame + (flow if distance else 0), "down": class_map}
                assert [launch.entry for launch in gpu.launched] == ([entry] if distance else [])
                assert list(clock.take()) == stages
    assert (gpu.memory, gpu.retained) == ({}, 0)


def test_a_video_looks_as_through_the_graph(bundle, gpu):
    """Motion, moved keyframe features and several GOPs; what goes up and comes down is the same for every frame."""
    source = "test://street?size=90x122&frames=8"
    maps, branches = {}, {}
    for fusion in ("kernel", "graph"):
        with Segmenter(bundle, backend="tensorrt", fusion=fusion) as segmenter:
            assert segmenter.pipeline.label == f"ar, {fusion} fusion, tensorrt"
            gpu.launched = []
            results = [(r.class_map.copy(), r.branch) for r in segmenter.stream(source, motion="recode")]
            maps[fusion], branches[fusion] = (list(column) for column in zip(*results, strict=True))
            assert len(gpu.launched) == (branches[fusion].count(Branch.LR) if fusion == "kernel" else 0)
    assert branches["kernel"] == branches["graph"]
    assert branches["kernel"].count(Branch.LR) >= 6
    assert min(np.mean(a == b) for a, b in zip(maps["kernel"], maps["graph"], strict=True)) > 0.99


def test_the_kernel_needs_no_fuse_engine(damaged, gpu):
    for plan in damaged.path.glob("engines/*/*"):
        if plan.stem in ("fuse", "lr_head"):
            plan.unlink()
    with Segmenter(damaged, backend="tensorrt") as segmenter:
        assert segmenter.pipeline.label == "ar, kernel fusion, tensorrt"
    with pytest.raises(BuildError, match="edge-arseg compile"):
        Segmenter(damaged, backend="tensorrt", fusion="graph")
    assert (gpu.memory, gpu.retained) == ({}, 0)


def without(bundle):
    return replace(bundle, manifest=replace(bundle.manifest, kernels=()))


def for_another(bundle):
    (kernel,) = bundle.manifest.kernels
    return replace(bundle, manifest=replace(bundle.manifest, kernels=(replace(kernel, sm=90),)))


def outdated(bundle):
    (kernel,) = bundle.manifest.kernels
    return replace(bundle, manifest=replace(bundle.manifest, kernels=(replace(kernel, source="0" * 64),)))


def refused_by_the_driver(bundle):
    (kernel,) = bundle.manifest.kernels
    (bundle.path / kernel.file).write_bytes(b"cubin of a CUDA newer than the driver")
    return bundle


def without_head(bundle):
    (plan,) = bundle.path.glob("engines/*/head.plan")
    plan.unlink()
    return bundle


AGAIN = rf"edge-arseg compile .*own\.arseg --target {NANO} --force"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without, rf"no fusion kernel for this GPU, sm_87 \(there are: none\); type: {AGAIN}.*--fusion graph"),
        (for_another, rf"no fusion kernel for this GPU, sm_87 \(there are: sm_90\); type: {AGAIN}"),
        (outdated, rf"compiled from another version of the kernel .*type: {AGAIN}"),
        (
            refused_by_the_driver,
            r"GPU does not take .* kernel .*: edge-arseg compile BUNDLE --force --no-engines; .*--fusion graph",
        ),
        (without_head, r"head.*edge-arseg compile"),
    ],
)
def test_where_there_is_no_kernel_auto_takes_the_graph_and_says_why(damaged, gpu, caplog, change, message):
    bundle = change(damaged)
    golden = bundle.golden_frames()
    with pytest.raises(BuildError, match=message):
        Segmenter(bundle, backend="tensorrt", fusion="kernel")
    assert (gpu.memory, gpu.retained) == ({}, 0)
    caplog.clear()
    with caplog.at_level(logging.WARNING), Segmenter(bundle, backend="tensorrt") as segmenter:
        assert segmenter.pipeline.label == "ar, graph fusion, tensorrt"
        segmenter.pipeline.key(golden.frames[0], StageClock())
        seen = segmenter.pipeline.between(golden.frames[1], golden.flows[1], StageClock())
        assert np.mean(seen == golden.ar_maps[1]) > 0.99
    records = [record for record in caplog.records if record.name.startswith("edge_arseg.runtime.fusion")]
    # twice where the pair had to be tried first, which it is once for a bundle
    (warning,) = {record.getMessage() for record in records}
    assert re.search(message, warning)
    assert gpu.launched == []
    assert (gpu.memory, gpu.retained) == ({}, 0)


def test_the_graph_can_be_asked_for_and_nothing_is_said(damaged, gpu, caplog):
    with Segmenter(damaged, backend="tensorrt", fusion="graph") as segmenter:
        assert segmenter.pipeline.label == "ar, graph fusion, tensorrt"
    assert gpu.launched == []
    assert not [record for record in caplog.records if record.name.startswith("edge_arseg.runtime.fusion")]


def test_other_modes_fuse_nothing(damaged, gpu):
    with Segmenter(damaged, backend="tensorrt", mode=Mode.HR, fusion="kernel") as segmenter:
        assert segmenter.pipeline.label == "hr, tensorrt"
    with Segmenter(damaged, backend="tensorrt", mode=Mode.LR) as segmenter:
        assert segmenter.pipeline.label == "lr, graph head, tensorrt"
    with pytest.raises(EnvironmentUnfitError, match=r"nothing is fused in mode lr.*--fusion auto"):
        Segmenter(damaged, backend="tensorrt", mode=Mode.LR, fusion="kernel")
    assert (gpu.memory, gpu.retained) == ({}, 0)


def test_the_automatic_backend_times_the_kernel(damaged, gpu):
    options = EngineOptions(backend="tensorrt")
    trial = attempt_of(damaged, Mode.AR, options, required=required_agreement(damaged.manifest))
    assert trial.agreement > 0.99
    assert {launch.entry for launch in gpu.launched} == {"fuse_half_8"}
