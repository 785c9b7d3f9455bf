"""The kernel on a real GPU: compiled here, launched through the driver library, on memory that torch holds."""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge_arseg.compiler.kernels.build import EntryResources, resources_from_log
from edge_arseg.compiler.kernels.compilers import cuda_compilers
from edge_arseg.errors import BuildError
from edge_arseg.runtime.kernels.cuda.image import MAIN
from edge_arseg.runtime.kernels.cuda.launch_plan import GpuLimits, LaunchPlan
from edge_arseg.runtime.kernels.cuda.weight_table import table_from_weights
from edge_arseg.spec.weights import FusionWeights

_MAX_DYNAMIC_SHARED = 8
_SHARED_PER_BLOCK_OPTIN, _SHARED_PER_SM = 97, 81


class Gpu:
    """The current GPU of torch, with the kernel loaded.

    Attributes:
        name, sm, limits: of the GPU.
        compiler: name and version.
        cubin: what it made.
        resources: of the kernel's entries.
    """

    def __init__(self, cubin: Path | None = None) -> None:
        """Compile, or load what an earlier process compiled.

        Raises:
            RuntimeError: no compiler of this machine makes a cubin that the driver takes.
        """
        torch.cuda.init()
        torch.zeros(1, device="cuda")  # makes the context current
        properties = torch.cuda.get_device_properties(0)
        self.name, self.sm = properties.name, 10 * properties.major + properties.minor
        self._driver = ctypes.CDLL("libcuda.so.1")
        shared, per_sm = self._attribute(_SHARED_PER_BLOCK_OPTIN), self._attribute(_SHARED_PER_SM)
        cores = (properties.major, properties.minor) >= (7, 5)
        self.limits = GpuLimits(properties.multi_processor_count, shared, per_sm, tensor_cores=cores)
        self._module = ctypes.c_void_p()
        self.compiler, self.cubin = "another process", b""
        self.resources: dict[str, EntryResources] = {}
        if cubin is not None:
            self._check(self._driver.cuModuleLoadData(ctypes.byref(self._module), cubin.read_bytes()))
        else:
            self._compile()

    def _compile(self) -> None:
        """Try one compiler after the other: nvcc may lack a host compiler, or be newer than the driver."""
        for compiler in cuda_compilers():
            if self.sm not in compiler.sms:
                print(f"  {compiler.name} does not know sm_{self.sm}")
                continue
            try:
                cubin, said = compiler.cubin_from_source(MAIN, self.sm)
                self._check(self._driver.cuModuleLoadData(ctypes.byref(self._module), cubin))
            except (BuildError, RuntimeError) as error:
                print(f"  {compiler.name} is of no use here: {error}")
                continue
            self.compiler, self.cubin, self.resources = compiler.name, cubin, resources_from_log(said)
            return
        raise RuntimeError(f"no compiler here makes a kernel for sm_{self.sm} that the driver takes")

    def kernel(self, plan: LaunchPlan, weights: FusionWeights) -> "Kernel":
        """Return the kernel ready for a plan."""
        function = ctypes.c_void_p()
        self._check(self._driver.cuModuleGetFunction(ctypes.byref(function), self._module, plan.entry.encode()))
        self._check(self._driver.cuFuncSetAttribute(function, _MAX_DYNAMIC_SHARED, plan.shared_bytes))
        return Kernel(self._driver, function, plan, weights)

    def _attribute(self, number: int) -> int:
        value = ctypes.c_int()
        self._check(self._driver.cuDeviceGetAttribute(ctypes.byref(value), number, 0))
        return value.value

    def _check(self, code: int) -> None:
        if code:
            raise RuntimeError(f"the CUDA driver says {code}")


class Kernel:
    """One plan, with its weights."""

    def __init__(self, driver: Any, function: ctypes.c_void_p, plan: LaunchPlan, weights: FusionWeights):
        self._driver, self._function, self.plan = driver, function, plan
        table = table_from_weights(weights, plan.shapes.channels, plan.storage.chunk)
        self._table = torch.from_numpy(table).cuda()

    def run(self, key: torch.Tensor, flow: torch.Tensor, lr: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        """Enqueue on torch's stream."""
        plan = self.plan
        values = [ctypes.c_void_p(tensor.data_ptr()) for tensor in (out, key, flow, lr, self._table)]
        values += [ctypes.c_int(number) for number in plan.numbers[:8]]
        values += [ctypes.c_float(number) for number in plan.numbers[8:]]
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
        code = self._driver.cuLaunchKernel(
            self._function, *plan.grid, 1, plan.threads, 1, 1, plan.shared_bytes, stream, pointers, None
        )
        if code:
            raise RuntimeError(f"cuLaunchKernel says {code} for {plan.entry}")
        return out

    def fuse(self, key: np.ndarray, flow: np.ndarray, lr: np.ndarray) -> np.ndarray:
        """Fuse arrays of the host ``[C, h, w]``, rounded to the plan's type; returns float32."""
        kind = getattr(torch, self.plan.storage.feature)
        there = [torch.from_numpy(np.ascontiguousarray(array)).cuda() for array in (key, flow, lr)]
        key_there, lr_there = there[0].to(kind), there[2].to(kind)
        out = torch.full_like(key_there, float("nan"))
        self.run(key_there, there[1].float(), lr_there, out)
        torch.cuda.synchronize()
        return out.float().cpu().numpy()
