"""The GPU kernel behind the fusion contract, with stand-ins for the GPU, the bundle and the head."""

from types import SimpleNamespace

import numpy as np
import pytest
from support.gpu import host as cuda_host
from support.gpu.stub import KernelGpu
from support.tensorrt import install

from edge_arseg.errors import BuildError
from edge_arseg.runtime.device.cuda import borrow_device, return_device
from edge_arseg.runtime.engines.contract import Engine, Place
from edge_arseg.runtime.fusion.cuda import CudaKernelFusion, LoadedKernel
from edge_arseg.runtime.kernels.cuda import Storage
from edge_arseg.runtime.kernels.cuda.image import source_digest
from edge_arseg.runtime.stages import StageClock
from edge_arseg.spec import tensor as names
from edge_arseg.spec.entries import KernelEntry
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.spec.weights import FusionShapes, FusionWeights

pytestmark = pytest.mark.skipif(cuda_host.compiler() is None, reason="no C++ compiler to run the kernel on the host")

SHAPES = FusionShapes(6, (10, 14), (5, 7), (3, 4), 40)
KEY, LR = TensorSpec("float16", (1, 6, 10, 14)), TensorSpec("float16", (1, 6, 5, 7))


class Head(Engine):
    """Says which pixels of the fused feature are positive, from where the kernel left it."""

    feature_place = Place.CUDA

    def __init__(self):
        super().__init__("head", {names.FUSED_FEATURE: KEY}, {names.CLASS_MAP: TensorSpec("uint8", (10, 14))})

    def _run(self, feeds):
        self.fused = np.array(feeds[names.FUSED_FEATURE])
        return {names.CLASS_MAP: (self.fused[0, 0] > 0).astype(np.uint8)}

    def close(self):
        pass


def bundle_in(folder, *, sm: int = 87, source: str | None = None, target: str | None = None) -> SimpleNamespace:
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, 0.2, shape).astype(np.float32) for shape in [(6, 1, 3, 3), (6,)] * 3 + [(49,)]]
    inputs = {
        names.KEY_FEATURE: KEY,
        names.LR_FEATURE: LR,
        names.FLOW: TensorSpec("float32", (*SHAPES.flow, 2)),
    }
    (folder / "fusion.cubin").write_bytes(KernelGpu.image)
    kernel = KernelEntry("fusion.cubin", sm, source or source_digest(), "nvcc 12.6")
    head = SimpleNamespace(inputs={names.FUSED_FEATURE: KEY})
    graphs = {Role.FUSE: SimpleNamespace(inputs=inputs), Role.HEAD: head}
    model = SimpleNamespace(window=7)
    manifest = SimpleNamespace(graphs=graphs, height=40, kernels=(kernel,), target=target, model=model)
    return SimpleNamespace(
        path=folder,
        manifest=manifest,
        fusion_weights=lambda: FusionWeights(*weights),
        content=lambda name: (folder / name).read_bytes(),
    )


@pytest.fixture
def gpu(monkeypatch) -> KernelGpu:
    gpu = KernelGpu()
    install(monkeypatch, gpu=gpu)
    return gpu


def test_features_stay_on_the_gpu_and_the_head_gets_the_fusion(gpu, tmp_path):
    device = borrow_device()
    bundle, head = bundle_in(tmp_path), Head()
    fusion = CudaKernelFusion(LoadedKernel(bundle), head)
    held = gpu.used
    rng = np.random.default_rng(1)
    flow = rng.normal(size=(*SHAPES.flow, 2)).astype(np.float32)
    features, there = {}, {}
    for name, spec in (("key", KEY), ("lr", LR)):
        features[name] = rng.normal(size=spec.shape).astype(spec.dtype)
        there[name], pinned = device.call(device.allocate, spec), device.call(device.pinned, spec)
        pinned[...] = features[name]
        device.call(device.upload, pinned, there[name])
    device.call(device.wait)
    before = dict(gpu.copied)

    class_map = fusion.class_map(there["key"], flow, there["lr"], StageClock())

    plan = cuda_host.plan_on_host(SHAPES, Storage.HALF)
    expected = cuda_host.run_on_host(plan, bundle.fusion_weights(), features["key"][0], flow, features["lr"][0])
    np.testing.assert_array_equal(head.fused[0].astype(np.float32), expected)
    np.testing.assert_array_equal(class_map, expected[0] > 0)
    assert gpu.copied["up"] - before["up"] == flow.nbytes
    assert gpu.used == held + sum(array.spec.nbytes for array in there.values())
    for array in there.values():
        device.call(array.free)
    fusion.close()
    assert gpu.used == 0
    return_device()
    assert gpu.retained == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sm": 110}, r"no fusion kernel for this GPU, sm_87 \(there are: sm_110\)"),
        ({"source": "0" * 64}, "another version"),
        ({"sm": 110}, r"edge-arseg compile \S+ --target TARGET \(`edge-arseg targets detect`"),
        ({"sm": 110, "target": "cuda"}, r"edge-arseg compile \S+ --target cuda --force"),
    ],
)
def test_a_bundle_without_a_fitting_kernel_is_refused_and_the_gpu_given_back(gpu, tmp_path, options, message):
    with pytest.raises(BuildError, match=message) as caught:
        LoadedKernel(bundle_in(tmp_path, **options))
    assert "edge-arseg compile" in str(caught.value)
    assert "--fusion graph" in str(caught.value)
    assert gpu.retained == 0
