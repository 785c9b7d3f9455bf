"""A GPU made of host memory: contexts per thread, streams that do their work when they are waited for."""

import ctypes
import itertools
import threading
from types import ModuleType, SimpleNamespace

import numpy as np


class Gpu:
    """What tests look at afterwards.

    Attributes:
        memory: address to array of every allocation that was not freed.
        pinned: address to length of every page-locked allocation.
        copied: bytes that went ``up`` and ``down`` so far.
        launches: graphs that were launched.
        contexts: context stack of each thread.
    """

    def __init__(self, name="Orin", compute_capability=(8, 7), sm_count=8, total=1 << 30, count=1):
        self.name, self.compute_capability, self.sm_count = name, compute_capability, sm_count
        self.total, self.count = total, count
        self.memory: dict[int, np.ndarray] = {}
        self.pinned: dict[int, np.ndarray] = {}
        self.streams: dict[int, Stream] = {}
        self.copied = {"up": 0, "down": 0}
        self.launches = 0
        self.contexts: dict[int, list] = {}
        self.threads: set[int] = set()
        self.retained = 0
        self.fault: Exception | None = None

    @property
    def used(self) -> int:
        return sum(array.nbytes for array in self.memory.values())

    def check(self, what: str) -> None:
        """Every call but the first ones needs a context that is current in its thread."""
        if self.fault:
            raise self.fault
        if not self.contexts.get(threading.get_ident()):
            raise self.errors.LogicError(f"{what} failed: invalid device context")
        self.threads.add(threading.get_ident())

    def block(self, address: int, size: int) -> None:
        for start, array in self.memory.items():
            if start <= address and address + size <= start + max(array.nbytes, 1):
                return
        raise self.errors.LogicError(f"{size} bytes at {address:#x}: an illegal memory access was encountered")

    def is_pinned(self, array: np.ndarray) -> bool:
        address = array.ctypes.data
        return any(s <= address and address + array.nbytes <= s + a.nbytes for s, a in self.pinned.items())

    @property
    def errors(self):
        return self.module

    def driver_module(self) -> ModuleType:
        """``pycuda.driver``, as of version 2021 and later."""
        gpu, module = self, ModuleType("pycuda.driver")
        self.module = module

        class Error(Exception):
            pass

        for name in ("MemoryError", "LogicError", "LaunchError", "RuntimeError"):
            setattr(module, name, type(name, (Error,), {}))
        module.Error = Error
        module.device_attribute = SimpleNamespace(MULTIPROCESSOR_COUNT=16)

        class Context:
            def push(self):
                gpu.contexts.setdefault(threading.get_ident(), []).append(self)

            def pop(self):
                gpu.contexts[threading.get_ident()].pop()

            def detach(self):
                gpu.retained -= 1

        class Device:
            def __init__(self, number):
                if number >= gpu.count:
                    raise module.LogicError("cuDeviceGet failed: invalid device ordinal")

            @staticmethod
            def count():
                return gpu.count

            def name(self):
                return gpu.name

            def compute_capability(self):
                return gpu.compute_capability

            def total_memory(self):
                return gpu.total

            def get_attribute(self, attribute):
                return {16: gpu.sm_count}[attribute]

            def retain_primary_context(self):
                gpu.retained += 1
                return Context()

        class DeviceAllocation:
            def __init__(self, array):
                self._address = array.ctypes.data

            def __int__(self):
                return self._address

            def free(self):
                gpu.check("cuMemFree")
                del gpu.memory[self._address]

        def init(flags=0):
            if gpu.count == 0:
                raise module.RuntimeError("cuInit failed: no CUDA-capable device is detected")

        def mem_alloc(size):
            gpu.check("cuMemAlloc")
            if gpu.used + size > gpu.total:
                raise module.MemoryError("cuMemAlloc failed: out of memory")
            array = np.full(size, 0xCD, np.uint8)
            gpu.memory[array.ctypes.data] = array
            return DeviceAllocation(array)

        def pagelocked_zeros(shape, dtype, order="C", mem_flags=0):
            gpu.check("cuMemHostAlloc")
            array = np.zeros(shape, dtype, order)
            gpu.pinned[array.ctypes.data] = array
            return array

        def copy(stream, to, source, size, way):
            gpu.check("cuMemcpyAsync")
            gpu.block(to if way == "up" else source, size)

            def work():
                ctypes.memmove(to, source, size)
                gpu.copied[way] += size

            stream.add(work)

        def memcpy_htod_async(dest, src, stream=None):
            assert gpu.is_pinned(src), "a copy from pageable memory is not asynchronous"
            copy(stream, int(dest), src.ctypes.data, src.nbytes, "up")

        def memcpy_dtoh_async(dest, src, stream=None):
            assert gpu.is_pinned(dest), "a copy to pageable memory is not asynchronous"
            copy(stream, dest.ctypes.data, int(src), dest.nbytes, "down")

        def memcpy_dtoh(dest, src):
            gpu.check("cuMemcpyDtoH")
            gpu.block(int(src), dest.nbytes)
            ctypes.memmove(dest.ctypes.data, int(src), dest.nbytes)  # waits for no stream but the default one
            gpu.copied["down"] += dest.nbytes

        module.init, module.Device, module.mem_alloc = init, Device, mem_alloc
        module.Stream = lambda flags=0: Stream(gpu)
        module.mem_get_info = lambda: (gpu.total - gpu.used, gpu.total)
        module.pagelocked_zeros = pagelocked_zeros
        module.memcpy_htod_async, module.memcpy_dtoh_async = memcpy_htod_async, memcpy_dtoh_async
        module.memcpy_dtoh = memcpy_dtoh
        return module

    def driver_library(self) -> "DriverLibrary":
        return DriverLibrary(self)


class Stream:
    """A queue of work; nothing happens before ``synchronize``."""

    _handles = itertools.count(0x1000)

    def __init__(self, gpu: Gpu):
        gpu.check("cuStreamCreate")
        self.handle = next(self._handles)
        self._gpu, self._queue = gpu, []
        self.capture: list | None = None
        gpu.streams[self.handle] = self

    def add(self, work) -> None:
        (self._queue if self.capture is None else self.capture).append(work)

    def synchronize(self) -> None:
        self._gpu.check("cuStreamSynchronize")
        if self.capture is not None:
            raise self._gpu.errors.LogicError(
                "cuStreamSynchronize failed: operation not permitted when stream is capturing"
            )
        queue, self._queue = self._queue, []
        for work in queue:
            work()


class DriverLibrary:
    """The graph functions of ``libcuda``; they return 0 or an error number, and fill in pointers."""

    def __init__(self, gpu: Gpu):
        self._gpu = gpu
        self._handles = itertools.count(0x9000)
        self.graphs: dict[int, list] = {}
        self.executables: dict[int, list] = {}

    def _stream(self, handle: ctypes.c_void_p) -> Stream:
        self._gpu.check("cuStream")
        return self._gpu.streams[handle.value]

    def cuStreamBeginCapture_v2(self, stream, mode):  # noqa: N802
        assert mode == 1
        self._stream(stream).capture = []
        return 0

    def cuStreamEndCapture(self, stream, graph):  # noqa: N802
        held = self._stream(stream)
        work, held.capture = held.capture, None
        if "invalid" in work:
            graph._obj.value = None
            return 901
        graph._obj.value = next(self._handles)
        self.graphs[graph._obj.value] = work
        return 0

    def cuGraphInstantiateWithFlags(self, executable, graph, flags):  # noqa: N802
        executable._obj.value = next(self._handles)
        self.executables[executable._obj.value] = self.graphs[graph.value]
        return 0

    def cuGraphLaunch(self, executable, stream):  # noqa: N802
        held = self._stream(stream)
        for work in self.executables[executable.value]:
            held.add(work)
        self._gpu.launches += 1
        return 0

    def cuGraphExecDestroy(self, executable):  # noqa: N802
        del self.executables[executable.value]
        return 0

    def cuGraphDestroy(self, graph):  # noqa: N802
        del self.graphs[graph.value]
        return 0
