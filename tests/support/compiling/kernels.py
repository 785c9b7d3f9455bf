"""A compiler for kernels that only pretends."""

from edge_arseg.compiler.kernels.compilers import CudaCompiler
from edge_arseg.runtime.kernels.cuda.image import MAIN

SAID = """ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'fuse_half_16' for 'sm_87'
ptxas info    : Function properties for fuse_half_16
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 126 registers, used 1 barriers, 436 bytes cmem[0]
ptxas info    : Compiling entry function 'fuse_half_8' for 'sm_87'
ptxas info    : Function properties for fuse_half_8
    368 bytes stack frame, 432 bytes spill stores, 440 bytes spill loads
ptxas info    : Used 128 registers, used 1 barriers, 368 bytes cumulative stack size, 436 bytes cmem[0]
"""


class FakeCompiler(CudaCompiler):
    """Answers without compiling."""

    sms = (75, 87, 90, 110)

    def __init__(self, said: str = SAID, name: str = "fake 13.0"):
        self.asked: list[int] = []
        self.name = name
        self._said = said

    def cubin_from_source(self, source, sm):
        assert source == MAIN
        self.asked.append(sm)
        return f"cubin {sm}".encode(), self._said
