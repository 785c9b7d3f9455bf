"""The GPU kernel's source compiled for the host, block by block, thread by thread. Slow; for tests."""

import ctypes
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np

from edge_arseg.runtime.kernels.cuda.image import SOURCE
from edge_arseg.runtime.kernels.cuda.launch_plan import GpuLimits, LaunchPlan, Storage, plan_from_shapes
from edge_arseg.runtime.kernels.cuda.weight_table import table_from_weights
from edge_arseg.spec.weights import FusionShapes, FusionWeights

HOST = Path(__file__).parent / "host_gpu"
ORIN = GpuLimits(sm_count=8, block_shared_bytes=163 << 10, sm_shared_bytes=164 << 10)


def compiler() -> str | None:
    """Return a C++ compiler, or ``None``."""
    return shutil.which("g++") or shutil.which("clang++")


@cache
def host_library() -> ctypes.CDLL:
    """Compile once for all processes of the suite."""
    path = Path(os.environ["EDGE_ARSEG_TEST_CACHE"], "cuda_host.so")
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        command = [compiler(), "-std=c++17", "-O2", "-march=native", "-U_FORTIFY_SOURCE", "-fPIC", "-shared"]
        command += ["-x", "c++", f"-I{HOST}", f"-I{SOURCE}", str(HOST / "host_gpu.cpp"), "-o", str(fresh)]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        fresh.replace(path)
    return ctypes.CDLL(str(path))


def run_on_host(
    plan: LaunchPlan,
    weights: FusionWeights,
    key: np.ndarray,
    flow: np.ndarray,
    lr: np.ndarray,
    *,
    entry: str | None = None,
    reversed_order: bool = False,
) -> np.ndarray:
    """Launch a plan; returns ``[C, h, w] float32``. Features are rounded to the plan's type first."""
    kind = np.dtype(plan.storage.feature)
    key, lr = (np.ascontiguousarray(feature, dtype=kind) for feature in (key, lr))
    flow = np.ascontiguousarray(flow, dtype=np.float32)
    # GPU memory is aligned to 256 bytes; the table is read by sixteen
    table = table_from_weights(weights, plan.shapes.channels, plan.storage.chunk)
    out = np.full(key.shape, np.nan, kind)
    sizes, steps = np.array(plan.numbers[:8], np.int32), np.array(plan.numbers[8:], np.float32)
    arrays = [array.ctypes.data_as(ctypes.c_void_p) for array in (out, key, flow, lr, table, sizes, steps)]
    code = host_library().run_kernel(
        (entry or plan.entry).encode(), plan.threads, *plan.grid, ctypes.c_bool(reversed_order), *arrays
    )
    assert code == 0, {1: "threads wait at different barriers", 2: "no such kernel"}[code]
    return out.astype(np.float32)


def plan_on_host(shapes: FusionShapes, storage: Storage, *, rows: int | None = None, kept: bool = True) -> LaunchPlan:
    """Plan for a small Orin; without ``kept``, for a GPU with no shared memory to spare."""
    spare = ORIN if kept else GpuLimits(8, 84 << 10, 84 << 10)
    return plan_from_shapes(shapes, storage, spare, tile_height=rows)
