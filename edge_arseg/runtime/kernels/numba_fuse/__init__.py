"""The CPU fusion kernel: warp, depthwise convolutions, local attention and residual in one compiled pass.

It replaces the ``fuse`` graph up to the fused feature; ``numba_head`` or the ``head`` graph decodes that. Needs Numba
(extra ``cpu``).

::

    kernel = FusionKernel(FusionShapes(64, (720, 960), (360, 480), (180, 240), 720), weights)
    fused = kernel.run(key_feature, flow, lr_feature, out)

How it is fast: the frame is cut into strips that are swept from top to bottom, so that only a dozen rows of warped
feature, keys and values exist at a time, in the cache (``sweep``); the attention works on one register of pixels and
three rows at once and keeps every partial sum in a register (``microkernels``). Nothing of the size of a frame, and
no map of the similarities of a window, is ever written to memory.
"""

from edge_arseg.compiled import require_numba
from edge_arseg.native.library import instruction_set

if instruction_set() is None:
    require_numba("the CPU fusion kernel")

from edge_arseg.runtime.kernels.numba_fuse.kernel import FusionKernel
from edge_arseg.spec.weights import FusionShapes

__all__ = ["FusionKernel", "FusionShapes"]
