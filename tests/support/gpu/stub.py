"""The stand-in for pycuda, with kernels: a launch runs the kernel's source on the host, when its stream gets there."""

import ctypes
import struct
from types import SimpleNamespace

import numpy as np
from support.gpu import host as cuda_host
from support.tensorrt.gpu import Gpu

PLAIN_SHARED, COUNT, SM_SHARED, BLOCK_SHARED = 8, 16, 81, 97
LIMITS = {PLAIN_SHARED: 48 << 10, COUNT: 8, SM_SHARED: 164 << 10, BLOCK_SHARED: 163 << 10}
"""Device attributes, numbered as CUDA does."""


class KernelGpu(Gpu):
    """A small Orin that takes images of ``image``.

    Attributes:
        launched: of each launch the entry, grid, block, shared bytes and arguments.
        allowed: dynamic shared memory that each function was allowed.
    """

    image = b"cubin of sm_87"

    def __init__(self, **facts):
        super().__init__(**facts)
        self.launched: list[SimpleNamespace] = []
        self.allowed: dict[str, int] = {}

    def driver_module(self):
        gpu, module = self, super().driver_module()
        module.function_attribute = SimpleNamespace(MAX_DYNAMIC_SHARED_SIZE_BYTES=8)
        module.device_attribute = SimpleNamespace(
            MULTIPROCESSOR_COUNT=COUNT,
            MAX_SHARED_MEMORY_PER_MULTIPROCESSOR=SM_SHARED,
            MAX_SHARED_MEMORY_PER_BLOCK_OPTIN=BLOCK_SHARED,
        )

        class Function:
            def __init__(self, entry):
                self._entry = entry

            def set_attribute(self, attribute, value):
                assert attribute == 8
                assert value <= LIMITS[BLOCK_SHARED], "cuFuncSetAttribute failed: invalid argument"
                gpu.allowed[self._entry] = value

            def prepare(self, arg_types):
                self._format = arg_types

            def prepared_async_call(self, grid, block, stream, *arguments, shared_size=0):
                gpu.check("cuLaunchKernel")
                # as pycuda packs them: native sizes and alignment, and an error where they do not fit
                packed = struct.unpack(self._format, struct.pack(self._format, *arguments))
                assert shared_size <= max(LIMITS[PLAIN_SHARED], gpu.allowed.get(self._entry, 0)), (
                    "too much shared memory"
                )
                launch = SimpleNamespace(
                    entry=self._entry, grid=grid, block=block, shared=shared_size, arguments=packed
                )
                gpu.launched.append(launch)
                stream.add(lambda: run(launch))

        class Module:
            def get_function(self, entry):
                gpu.check("cuModuleGetFunction")
                return Function(entry)

        def module_from_buffer(image):
            gpu.check("cuModuleLoadData")
            if image != gpu.image:
                raise module.LogicError("cuModuleLoadDataEx failed: no kernel image is available for execution")
            return Module()

        def memcpy_htod(dest, src):
            gpu.check("cuMemcpyHtoD")
            gpu.block(int(dest), src.nbytes)
            ctypes.memmove(int(dest), src.ctypes.data, src.nbytes)

        device = SimpleNamespace(get_attribute=LIMITS.__getitem__, compute_capability=lambda: self.compute_capability)
        module.Context = SimpleNamespace(get_device=lambda: device)
        module.module_from_buffer, module.memcpy_htod = module_from_buffer, memcpy_htod
        return module


def run(launch: SimpleNamespace) -> None:
    """Do on the host what was launched."""
    sizes = np.array(launch.arguments[5:13], np.int32)
    steps = np.array(launch.arguments[13:], np.float32)
    pointers = [ctypes.c_void_p(address) for address in launch.arguments[:5]]
    pointers += [array.ctypes.data_as(ctypes.c_void_p) for array in (sizes, steps)]
    code = cuda_host.host_library().run_kernel(
        launch.entry.encode(), launch.block[0], *launch.grid, ctypes.c_bool(False), *pointers
    )
    assert code == 0
