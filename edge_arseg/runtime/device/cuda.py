"""One GPU through pycuda: one context, one stream, owned by one thread.

A CUDA context is current in a thread, not in a process: calls from another thread fail with "invalid device context",
and a context that a dying thread leaves behind aborts the process. So everything that touches the GPU runs in one
thread of its own, whoever asks (``CudaDevice.call``).
"""

import atexit
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from edge_arseg.errors import BuildError, EnvironmentUnfitError, MemoryExhaustedError, transient
from edge_arseg.installation import install_packages, pip
from edge_arseg.runtime.device.jetson_signs import board_module
from edge_arseg.runtime.device.owner_thread import OwnerThread
from edge_arseg.spec.tensor import TensorSpec

T = TypeVar("T")

_DEVICES = ("nvidia0", "nvidiactl", "nvhost-gpu", "nvgpu/igpu0/ctrl", "nvmap")


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What engines depend on.

    Attributes:
        name: part number of a Jetson's module, elsewhere the name that CUDA gives the GPU.
        compute_capability: major and minor.
        sm_count: multiprocessors that are on.
        total_bytes: memory of the GPU; on a Jetson it is the board's.
    """

    name: str
    compute_capability: tuple[int, int]
    sm_count: int
    total_bytes: int


class DeviceArray:
    """An array on the GPU. The loop hands it on without looking; ``np.array(it)`` copies it to the host.

    Attributes:
        spec: type and shape; the layout is C-contiguous.
        address: in the GPU's memory.
    """

    __slots__ = ("_allocation", "_device", "address", "spec")

    def __init__(self, device: "CudaDevice", spec: TensorSpec, allocation: Any):
        self.spec, self._device, self._allocation = spec, device, allocation
        self.address = int(allocation)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        host = self._device.call(self._device.download, self)
        return host if dtype is None else host.astype(dtype, copy=False)

    def free(self) -> None:
        """Give the memory back; in the device's thread."""
        if self._allocation is not None:
            self._allocation.free()
            self._allocation = None


class CudaDevice:
    """The GPU, with what is done on it in order on one stream.

    All methods but ``call`` and ``close`` are for the device's own thread: ``device.call(device.allocate, spec)``.

    Attributes:
        facts: see ``DeviceFacts``.
        driver: ``pycuda.driver``, for kernels.
        stream: ``pycuda.driver.Stream``; not the default one, which would wait for everything.
    """

    facts: DeviceFacts
    driver: Any
    stream: Any

    def __init__(self, index: int = 0):
        """Open a GPU.

        Raises:
            EnvironmentUnfitError: no pycuda, no driver, no GPU.
        """
        self._thread = OwnerThread("edge-arseg-cuda")
        self._context: Any = None
        atexit.register(self.close)
        try:
            self._thread.call(self._open, index)
        except BaseException:
            self.close()
            raise

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function in the thread that owns the context, and wait for it.

        Raises:
            MemoryExhaustedError: the GPU's memory is full.
            BuildError: the GPU was closed, or CUDA failed.
        """
        if self._thread.ended:
            raise BuildError("the GPU was closed; open the engines again")
        return self._thread.call(self._guarded, function, *arguments)

    def allocate(self, spec: TensorSpec) -> DeviceArray:
        """Return memory for an array, uninitialised."""
        return DeviceArray(self, spec, self.driver.mem_alloc(max(spec.nbytes, 1)))

    def pinned(self, spec: TensorSpec) -> np.ndarray:
        """Return a page-locked array of the host, zeroed: only such can be copied without waiting."""
        return self.driver.pagelocked_zeros(spec.shape, np.dtype(spec.dtype))

    def upload(self, pinned: np.ndarray, array: DeviceArray) -> None:
        """Enqueue a copy to the GPU; ``pinned`` must stay as it is until ``wait``."""
        self.driver.memcpy_htod_async(array.address, pinned, self.stream)

    def fetch(self, array: DeviceArray, pinned: np.ndarray) -> None:
        """Enqueue a copy to the host; ``pinned`` holds it after ``wait``."""
        self.driver.memcpy_dtoh_async(pinned, array.address, self.stream)

    def download(self, array: DeviceArray) -> np.ndarray:
        """Return a copy on the host, after all that is enqueued."""
        host = np.empty(array.spec.shape, array.spec.dtype)
        self.stream.synchronize()
        self.driver.memcpy_dtoh(host, array.address)
        return host

    def wait(self) -> None:
        """Wait for everything that is enqueued."""
        self.stream.synchronize()

    def close(self) -> None:
        """Leave the context and end the thread; calling it twice is allowed."""
        atexit.unregister(self.close)
        if not self._thread.ended:
            try:
                self._thread.call(self._leave)
            finally:
                self._thread.end()

    def _open(self, index: int) -> None:
        self.driver = pycuda_driver()
        try:
            self.driver.init()
            if self.driver.Device.count() <= index:
                raise EnvironmentUnfitError(
                    f"{self.driver.Device.count()} GPUs seen, number {index} asked for; "
                    "see `edge-arseg doctor`, or run with --backend onnxruntime"
                )
            gpu = self.driver.Device(index)
            # the primary context is the one that TensorRT's use of the runtime API finds
            context = gpu.retain_primary_context()
            context.push()
            self._context = context
            self.stream = self.driver.Stream()
        except self.driver.Error as error:
            fault = EnvironmentUnfitError(
                f"CUDA finds no GPU to work with ({error}); on a Jetson check that this user is in the group `video`, "
                "in a container that it was started with --runtime nvidia; or run with --backend onnxruntime"
            )
            raise (transient(fault) if gpu_devices() else fault) from error
        attribute = self.driver.device_attribute
        self.facts = DeviceFacts(
            board_module() or gpu.name(),
            tuple(gpu.compute_capability()),
            gpu.get_attribute(attribute.MULTIPROCESSOR_COUNT),
            gpu.total_memory(),
        )

    def _leave(self) -> None:
        if self._context is not None:
            self.stream = None
            self._context.pop()
            self._context.detach()
            self._context = None

    def _guarded(self, function: Callable[..., T], *arguments: Any) -> T:
        try:
            return function(*arguments)
        except self.driver.MemoryError as error:  # only an ``Error``, and no ``MemoryError``, in newer pycuda
            free, total = (size >> 20 for size in self.driver.mem_get_info())
            raise MemoryExhaustedError(
                f"the GPU has no memory left for this ({free} of {total} MiB free): end other programs on it "
                "(on a Jetson the desktop is one: sudo systemctl isolate multi-user), or export at a smaller --size"
            ) from error
        except self.driver.Error as error:
            raise transient(
                BuildError(
                    f"CUDA failed on {self.facts.name} ({error}); a GPU that failed once needs a new process, "
                    "and `edge-arseg verify` shows whether the engines are to blame"
                )
            ) from error


_lock = threading.Lock()
_shared: list[CudaDevice] = []
_users = 0


def borrow_device() -> CudaDevice:
    """Return the GPU that all engines share, so that one can read what another made. Pair with ``return_device``.

    Raises:
        EnvironmentUnfitError: no pycuda, no driver, no GPU.
    """
    global _users
    with _lock:
        if not _shared:
            _shared.append(CudaDevice())
        _users += 1
        return _shared[0]


def return_device() -> None:
    """Give the shared GPU back; the last one closes it."""
    global _users
    with _lock:
        _users -= 1
        if _users == 0:
            _shared.pop().close()


def gpu_devices() -> list[str]:
    """Return those of NVIDIA's devices below ``/dev`` that this user may open: without one CUDA finds no GPU."""
    return [name for name in _DEVICES if os.access(f"/dev/{name}", os.R_OK | os.W_OK)]


def pycuda_driver() -> ModuleType:
    """Import pycuda.

    Raises:
        EnvironmentUnfitError: it is missing, was compiled for another CUDA or NumPy, or there is no driver.
    """
    try:
        return import_module("pycuda.driver")
    except Exception as error:  # a module that was compiled for another NumPy raises what it likes
        if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == "pycuda":
            raise EnvironmentUnfitError(
                "pycuda is missing, which moves frames to the GPU; it is compiled where it is installed: "
                f"export PATH=/usr/local/cuda/bin:$PATH; {install_packages('pycuda')}"
            ) from error
        raise EnvironmentUnfitError(
            f"pycuda cannot be loaded ({error}): the GPU's driver is missing, or pycuda was compiled for another CUDA "
            "or NumPy; in a container start with --runtime nvidia, else: "
            + pip("install --force-reinstall --no-cache-dir pycuda")
        ) from error
