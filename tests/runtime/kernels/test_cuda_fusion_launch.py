"""Planning and launching the GPU kernel, with a stand-in for pycuda that runs it on the host."""

from dataclasses import replace

import numpy as np
import pytest
from support.gpu import host as cuda_host
from support.gpu.stub import KernelGpu
from support.tensorrt import install

from edge_arseg.errors import BuildError, EnvironmentUnfitError, OptionError
from edge_arseg.runtime.device.cuda import CudaDevice
from edge_arseg.runtime.kernels.cuda import GpuLimits, Storage, plan_from_shapes
from edge_arseg.runtime.kernels.cuda.kernel import CudaFusion, limits_of_device
from edge_arseg.runtime.kernels.cuda.weight_table import table_from_weights
from edge_arseg.spec.tensor import TensorSpec
from edge_arseg.spec.weights import FusionShapes, FusionWeights

PSP18 = FusionShapes(64, (720, 960), (360, 480), (180, 240), 720)
BISE18 = FusionShapes(256, (90, 120), (45, 60), (180, 240), 720)
ORIN_NANO = GpuLimits(8, 163 << 10, 164 << 10)
H200 = GpuLimits(132, 227 << 10, 228 << 10)
TURING = GpuLimits(40, 64 << 10, 64 << 10)
SMALL = FusionShapes(20, (12, 20), (6, 10), (3, 5), 48)


def weights_of(channels: int) -> FusionWeights:
    rng = np.random.default_rng(0)
    shapes = [(channels, 1, 3, 3), (channels,)] * 3 + [(49,)]
    return FusionWeights(*(rng.normal(0, 0.2, shape).astype(np.float32) for shape in shapes))


def test_a_large_feature_gets_tall_tiles_and_keeps_values():
    plan = plan_from_shapes(PSP18, Storage.HALF, ORIN_NANO)
    assert (plan.entry, plan.grid, plan.threads) == ("fuse_half_16", (60, 45), 512)
    assert (plan.kept_chunks, plan.shared_bytes) == (3, 81984 + 3 * 25344)
    assert plan.shared_bytes <= ORIN_NANO.block_shared_bytes


def test_numbers_follow_the_order_of_the_entries():
    plan = plan_from_shapes(PSP18, Storage.HALF, ORIN_NANO)
    assert plan.numbers[:8] == (64, 720, 960, 360, 480, 180, 240, 3)
    assert plan.numbers[8:] == pytest.approx((359 / 719, 479 / 959, 1.0))
    assert len(plan.argument_format) == 5 + len(plan.numbers)


def test_a_small_feature_on_a_large_gpu_gets_more_blocks():
    assert plan_from_shapes(BISE18, Storage.HALF, ORIN_NANO).entry == "fuse_half_16"
    plan = plan_from_shapes(BISE18, Storage.HALF, H200)
    assert (plan.entry, plan.grid) == ("fuse_half_8", (8, 12))


def test_two_low_tiles_fit_a_multiprocessor():
    plan = plan_from_shapes(BISE18, Storage.HALF, H200)
    assert 2 * (plan.shared_bytes + 1024) <= H200.sm_shared_bytes
    assert plan.kept_chunks == 4


def test_little_shared_memory_keeps_nothing_and_less_is_refused():
    plan = plan_from_shapes(PSP18, Storage.HALF, TURING)
    assert (plan.entry, plan.kept_chunks) == ("fuse_half_8", 0)
    with pytest.raises(EnvironmentUnfitError, match=r"needs 50592 bytes.*has 49152.*--fusion graph"):
        plan_from_shapes(PSP18, Storage.HALF, replace(TURING, block_shared_bytes=48 << 10))


def test_without_tensor_cores_tiles_are_low():
    assert plan_from_shapes(PSP18, Storage.HALF, replace(ORIN_NANO, tensor_cores=False)).entry == "fuse_half_8"


def test_tiles_that_do_not_exist_and_features_too_large_are_refused():
    with pytest.raises(OptionError, match=r"tiles of 16 rows asked for, there are \(8,\) for exact"):
        plan_from_shapes(SMALL, Storage.EXACT, ORIN_NANO, tile_height=16)
    with pytest.raises(OptionError, match="too large"):
        plan_from_shapes(FusionShapes(1, (60000, 60000), (2, 2), (2, 2), 60000), Storage.HALF, ORIN_NANO)


def test_the_table_is_padded_to_whole_chunks_with_zeros():
    weights = weights_of(20)
    flat = table_from_weights(weights, 20, 16)
    assert (flat.shape, flat.dtype) == ((3 * 32 * 12 + 49,), np.float32)
    table = flat[:-49].reshape(3, 32, 12)
    np.testing.assert_array_equal(table[1, 19, :9], weights.key_weight[19].reshape(9))
    assert table[2, 3, 9] == weights.value_bias[3]
    assert not table[:, 20:].any()
    np.testing.assert_array_equal(flat[-49:], weights.position_bias)
    with pytest.raises(OptionError, match=r"query_weight is \[20, 1, 3, 3\], expected \[24, 1, 3, 3\]; key_weight"):
        table_from_weights(weights, 24, 16)
    small = replace(weights, position_bias=np.zeros(16, np.float32))
    with pytest.raises(
        OptionError, match=r"value_weight is .*; position_bias is \[16\], expected one of \[9\], \[25\], \[49\]"
    ):
        table_from_weights(small, 24, 16)


@pytest.fixture
def gpu(monkeypatch) -> KernelGpu:
    gpu = KernelGpu()
    install(monkeypatch, gpu=gpu)
    return gpu


@pytest.fixture
def device(gpu):
    device = CudaDevice()
    yield device
    device.close()


def on_device(device: CudaDevice, array: np.ndarray):
    """Copy an array to the GPU."""
    spec = TensorSpec(str(array.dtype), array.shape)  # type: ignore[arg-type]
    there, pinned = device.call(device.allocate, spec), device.call(device.pinned, spec)
    pinned[...] = array
    device.call(device.upload, pinned, there)
    device.call(device.wait)
    return there


def arrays_of(shapes: FusionShapes, dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    key = rng.normal(size=(1, shapes.channels, *shapes.feature)).astype(dtype)
    flow = rng.normal(size=(*shapes.flow, 2)).astype(np.float32)
    return key, flow, rng.normal(size=(1, shapes.channels, *shapes.lr_feature)).astype(dtype)


@pytest.mark.skipif(cuda_host.compiler() is None, reason="no C++ compiler to run the kernel on the host")
@pytest.mark.parametrize("storage", list(Storage))
def test_what_is_launched_computes_the_fusion(gpu, device, storage):
    plan = plan_from_shapes(SMALL, storage, device.call(limits_of_device, device))
    weights, arrays = weights_of(20), arrays_of(SMALL, storage.feature)
    kernel = device.call(CudaFusion, device, plan, weights, gpu.image)
    there = [on_device(device, array) for array in arrays]
    fused = device.call(kernel.run, *there)
    assert fused is kernel.fused
    expected = cuda_host.run_on_host(plan, weights, *(array.reshape(array.shape[-3:]) for array in arrays))
    np.testing.assert_array_equal(np.array(fused)[0].astype(np.float32), expected)

    (launch,) = gpu.launched
    assert (launch.entry, launch.grid, launch.block) == (plan.entry, plan.grid, (plan.threads, 1, 1))
    assert launch.shared == plan.shared_bytes == gpu.allowed[plan.entry]
    assert launch.arguments[:4] == (kernel.fused.address, *(array.address for array in there))
    device.call(kernel.close)
    device.call(kernel.close)


def test_nothing_is_allocated_by_a_run_and_everything_given_back(gpu, device):
    plan = plan_from_shapes(SMALL, Storage.HALF, ORIN_NANO)
    there = [on_device(device, array) for array in arrays_of(SMALL, "float16")]
    before = gpu.used
    kernel = device.call(CudaFusion, device, plan, weights_of(20), gpu.image)
    held = gpu.used
    assert held - before == kernel.fused.spec.nbytes + (3 * 32 * 12 + 49) * 4
    device.call(kernel.run, *there)
    assert gpu.used == held
    device.call(kernel.close)
    assert gpu.used == before


def test_every_wrong_array_is_named(gpu, device):
    plan = plan_from_shapes(SMALL, Storage.HALF, ORIN_NANO)
    kernel = device.call(CudaFusion, device, plan, weights_of(20), gpu.image)
    key, flow, lr = (on_device(device, array) for array in arrays_of(SMALL, "float32"))
    with pytest.raises(
        OptionError, match=r"key_feature: float32\[1, 20, 12, 20\] seen, float16.*; lr_feature: float32"
    ):
        device.call(kernel.run, key, flow, lr)
    assert gpu.launched == []


def test_an_image_for_another_gpu_is_refused_with_what_to_do(gpu, device):
    plan = plan_from_shapes(SMALL, Storage.HALF, ORIN_NANO)
    with pytest.raises(
        BuildError,
        match=r"no kernel image.*edge-arseg compile BUNDLE --force --no-engines; .*--fusion graph",
    ):
        device.call(CudaFusion, device, plan, weights_of(20), b"cubin of sm_110")
