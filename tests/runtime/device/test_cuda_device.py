import threading

import numpy as np
import pytest
from support.tensorrt import install
from support.tensorrt.gpu import Gpu

from edge_arseg.errors import BuildError, EnvironmentUnfitError
from edge_arseg.runtime.device import cuda
from edge_arseg.runtime.device.cuda import CudaDevice, borrow_device, return_device
from edge_arseg.runtime.device.owner_thread import OwnerThread
from edge_arseg.spec.tensor import TensorSpec

SPEC = TensorSpec("float32", (2, 3))


@pytest.fixture
def gpu(monkeypatch) -> Gpu:
    return install(monkeypatch)


@pytest.fixture
def device(gpu):
    device = CudaDevice()
    yield device
    device.close()


def test_it_says_what_engines_depend_on(device):
    assert device.facts.compute_capability == (8, 7)
    assert device.facts.sm_count == 8
    assert device.facts.total_bytes == 1 << 30


def test_an_array_comes_down_with_what_was_enqueued_before(device):
    array, pinned = device.call(device.allocate, SPEC), device.call(device.pinned, SPEC)
    pinned[:] = 3
    device.call(device.upload, pinned, array)
    assert np.all(np.array(array) == 3)
    assert np.asarray(array, np.float64).dtype == np.float64
    device.call(array.free)


def test_engines_share_one_gpu_and_the_last_one_closes_it(gpu):
    first, second = borrow_device(), borrow_device()
    assert first is second
    return_device()
    assert gpu.retained == 1
    return_device()
    assert gpu.retained == 0
    assert not any(gpu.contexts.values())


def test_a_closed_gpu_says_so(gpu):
    device = CudaDevice()
    device.close()
    device.close()
    with pytest.raises(BuildError, match="closed"):
        device.call(device.wait)


def test_a_gpu_that_is_not_there(gpu):
    with pytest.raises(EnvironmentUnfitError, match="1 GPUs seen, number 3 asked for"):
        CudaDevice(3)
    assert not any(gpu.contexts.values())


@pytest.mark.parametrize("devices", [[], ["nvhost-gpu", "nvmap"]])
def test_a_gpu_that_is_full_already(gpu, monkeypatch, devices):
    """Its error was pycuda's own, which the choice of engines takes for a fault of this package.

    It may pass where there is a GPU. Where there is none, one that comes is another machine to what is remembered.
    """
    monkeypatch.setattr(cuda, "gpu_devices", lambda: devices)

    def full():
        raise gpu.errors.MemoryError("cuStreamCreate failed: out of memory")

    monkeypatch.setattr(gpu.module, "Stream", full)
    with pytest.raises(
        EnvironmentUnfitError, match=r"no GPU to work with \(cuStreamCreate failed: out of memory\)"
    ) as caught:
        CudaDevice()
    assert caught.value.transient is bool(devices)
    assert gpu.retained == 0
    assert not any(gpu.contexts.values())


def test_an_owner_thread_runs_everything_itself_and_hands_errors_back():
    owner = OwnerThread("owner")
    inside = owner.call(threading.get_ident)
    assert inside != threading.get_ident()
    assert owner.call(lambda: owner.call(threading.get_ident)) == inside  # and does not wait for itself
    with pytest.raises(ZeroDivisionError):
        owner.call(lambda: 1 // 0)
    assert owner.call(threading.get_ident) == inside
    owner.end()
    owner.end()
    with pytest.raises(RuntimeError, match="ended"):
        owner.call(threading.get_ident)
