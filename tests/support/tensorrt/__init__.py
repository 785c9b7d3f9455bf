"""Stand-ins for TensorRT, pycuda and the CUDA driver, for machines with no GPU.

They have the attributes that each version of TensorRT has and no others, so that a call which a version lacks fails
here too; they enqueue, and do what was enqueued when the stream is waited for, so that a forgotten wait shows; they
know which thread a context belongs to. ONNX Runtime computes. They say nothing about speed or about the numbers a GPU
would give.
"""

import sys

from support.tensorrt.gpu import Gpu
from support.tensorrt.library import stub_library

VERSIONS = ("8.5.2.2", "8.6.2.3", "10.3.0.30", "10.16.2.10", "11.4.1.1")


def install(monkeypatch, version: str = "10.3.0.30", gpu: Gpu | None = None, *, graphs: bool = True) -> Gpu:
    """Let ``import tensorrt`` and ``import pycuda.driver`` find the stand-ins."""
    gpu = gpu or Gpu()
    driver = gpu.driver_module()
    package = type(sys)("pycuda")
    package.driver = driver
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "tensorrt", stub_library(version, gpu))
    monkeypatch.setitem(sys.modules, "pycuda", package)
    monkeypatch.setitem(sys.modules, "pycuda.driver", driver)
    monkeypatch.setattr(
        "edge_arseg.runtime.engines.tensorrt.engine.driver_library", lambda: gpu.driver_library() if graphs else None
    )
    return gpu
