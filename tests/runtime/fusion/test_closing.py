"""What is opened is closed, though something beside it cannot be."""

import pytest

from edge_arseg.runtime.fusion.cuda import CudaKernelFusion


class Part:
    def __init__(self, fault=None):
        self.fault, self.closed = fault, False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True
        if self.fault is not None:
            raise self.fault


def test_the_head_is_closed_though_the_gpu_has_failed():
    """Its memory stayed taken."""
    kernel, head = Part(RuntimeError("CUDA failed")), Part()
    with pytest.raises(RuntimeError, match="CUDA failed"):
        CudaKernelFusion(kernel, head).close()
    assert kernel.closed
    assert head.closed
