"""The CPU decode kernel: feature to class map in one compiled pass.

It replaces the ``head`` graph: classifier, bilinear upsampling and argmax. Needs Numba (extra ``cpu``).

::

    kernel = DecodeKernel(DecodeShapes(256, (90, 120), (720, 960), upscale=8), weight, bias)
    class_map = kernel.run(feature, out)

How it is fast: the frame is cut into strips of rows. The scores of a strip stay in the cache; each output row is
interpolated vertically once, at the width of the feature; then one register of pixels at a time is interpolated
horizontally for every class, while the best score and its class stay in registers. Scores of frame size are never
written.
"""

from edge_arseg.compiled import require_numba
from edge_arseg.native.library import instruction_set

if instruction_set() is None:
    require_numba("the CPU decode kernel")

from edge_arseg.runtime.kernels.numba_head.geometry import DecodeShapes
from edge_arseg.runtime.kernels.numba_head.kernel import DecodeKernel

__all__ = ["DecodeKernel", "DecodeShapes"]
