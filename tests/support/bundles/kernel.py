"""Bundles compiled for a small Orin with a kernel inside, on stand-ins for nvcc, TensorRT and a GPU."""

import threading

import pytest
from support.gpu.stub import KernelGpu
from support.tensorrt import building, install

from edge_arseg.compiler.engines import workshop
from edge_arseg.compiler.engines.process import BuildResult, builder_from_name
from edge_arseg.compiler.machine import Machine
from edge_arseg.compiler.target import compile as compilation
from edge_arseg.compiler.target.options import CompileOptions
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.device.board import Board
from edge_arseg.runtime.device.cuda import DeviceFacts
from edge_arseg.runtime.device.host_memory import HostMemory
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.spec.targets.target import Configuration

NANO = "jetson-orin-nano-8gb"
MEMORY = HostMemory(8 << 30, 7 << 30, 8 << 30)
HOST = Machine(Board("cpu", "no Jetson", memory=MEMORY), None, "x86_64", lambda: MEMORY)
BOARD = Machine(
    Board(NANO, "module p3767-0005", configuration=Configuration.SUPER, memory=MEMORY),
    DeviceFacts("Orin", (8, 7), 8, 8 << 30),
    "aarch64",
    lambda: MEMORY,
)
NVCC = """#!/bin/sh
case $1 in
    --version) echo release 12.6, V12.6.1; exit;;
    --list-gpu-code) echo sm_75 sm_87; exit;;
esac
while [ "$1" != -o ]; do shift; done
printf '%s' 'cubin of sm_87' > "$2"
echo "ptxas info    : Compiling entry function 'fuse_half_8' for 'sm_87'"
echo "ptxas info    : Function properties for fuse_half_8"
echo "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads"
echo "ptxas info    : Used 126 registers, used 1 barriers, 436 bytes cmem[0]"
"""


def compiled(own_bundle, folder, precision):
    """Compile on a host, then on the board; returns the steps of both."""

    def build(job, progress):
        builder = builder_from_name(job.builder)
        made = builder.build(job.graph.read_bytes(), job.precision, job.settings, b"", progress)
        job.plan.write_bytes(made.plan)
        return BuildResult(b"", "", (), 0.0)

    nvcc = folder / "nvcc"
    nvcc.write_text(NVCC)
    nvcc.chmod(0o755)
    precisions = {} if precision is Precision.FP16 else dict.fromkeys((Role.HR, Role.LR, Role.FUSE), precision)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDACXX", str(nvcc))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        gpu = KernelGpu()
        install(patch, gpu=gpu)
        gpu.contexts[threading.get_ident()] = ["primary"]  # TensorRT's own
        patch.setattr(building.Network, "num_layers", 0, raising=False)
        patch.setattr(workshop, "result_from_job", build)
        output = folder / f"own-{precision.value}.arseg"
        options = CompileOptions(precisions, output=output)
        host = compilation.compile_bundle(read_bundle(own_bundle), NANO, options, machine=HOST)
        board = compilation.compile_bundle(read_bundle(output), None, CompileOptions(), machine=BOARD)
    return host, board
