"""CReFF and its head on CPUs with AMX: products of small matrices of bfloat16, in terms that add up to float32."""

from edge_arseg.runtime.kernels.numba_tiles.kernel import TileKernel

__all__ = ["TileKernel"]
