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

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.native.library import instruction_set

if instruction_set() is None:
    try:
        import numba  # noqa: F401
    except ImportError as error:
        raise EnvironmentUnfitError(
            "the CPU decode kernel needs numba, which is not installed; type: pip install 'edge-arseg[cpu]'"
        ) from error

from edge_arseg.runtime.kernels.numba_head.kernel import DecodeKernel
from edge_arseg.runtime.kernels.numba_head.shapes import DecodeShapes

__all__ = ["DecodeKernel", "DecodeShapes"]
