"""CReFF on the CPU: warp, depthwise convolutions and local attention in one pass."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.native.library import Kernel, shipped_kernel
from edge_arseg.native.table import table_of
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.runtime.kernels.numba.registers import LANES
from edge_arseg.runtime.kernels.numba_fuse.geometry import PLACE_INTS, ROWS, geometry_from_shapes, geometry_of_rows
from edge_arseg.runtime.kernels.numba_fuse.tables import axis_of, windows_of
from edge_arseg.spec.weights import FusionShapes, FusionWeights

_LARGE = 32 << 20
"""Bytes from which a result is written past the caches."""


class FusionKernel:
    """A fusion of fixed shapes and weights; all memory is taken when it is made.

    The result for a pixel is ``lr + sum_k softmax_k(Q . K_k + b_k) V_k`` over the places of the window around it, where
    ``lr`` is the LR feature resized to the keyframe feature (bilinear, ``align_corners=True``), ``Q = dw3x3(lr)``,
    ``K`` and ``V`` are ``dw3x3(warped)`` with zero padding, ``warped`` is the keyframe feature sampled along the flow,
    and ``b`` is the position bias: zeros in the published checkpoints, whose window is 7x7. The
    similarity is not divided by ``sqrt(C)``; places outside the image have similarity 0 and value 0 and keep their
    share of the softmax. These are the semantics that published AR-Seg checkpoints were trained with (Hu et al., CVPR
    2023, and its reference implementation, which departs from the paper's equation 3 in the missing ``sqrt(C)``).

    Attributes:
        shapes: the shapes it was made for.
        threads: threads that work on one fusion; the result does not depend on their number.
    """

    def __init__(self, shapes: FusionShapes, weights: FusionWeights, threads: int | None = None) -> None:
        """Compile (or load) the kernel and take its memory.

        Args:
            shapes: sizes of features, flow and frame.
            weights: of the three convolutions.
            threads: ``None`` means all cores this process may use.

        Raises:
            OptionError: shapes or weights do not fit together, or ``threads`` is below 1.
        """
        if threads is not None and threads < 1:
            raise OptionError(f"a fusion cannot run on {threads} threads, expected 1 or more")
        available = usable_cores()
        self.shapes = shapes
        self.threads = threads or available
        self._query_weights = _weight_table(weights, shapes.channels, "query")
        self._seen_weights = _weight_table(weights, shapes.channels, "key", "value")
        self._position_bias = _checked_bias(weights, shapes.window)
        self._geometry = g = geometry_from_shapes(shapes, self.threads)
        height, width = shapes.feature
        entries = g.strips * g.strip_width + max(g.base_width, g.warped_width)
        entries += -entries % LANES
        lr_x, windows = windows_of(
            axis_of(shapes.lr_feature[1], width, before=1, after=entries - width - 1), shapes.lr_feature[1]
        )
        self._tables = (
            lr_x,
            windows,
            axis_of(shapes.lr_feature[0], height),
            axis_of(shapes.flow[1], width, before=4, after=entries - width - 4, like_torch=False),
            axis_of(shapes.flow[0], height, like_torch=False),
        )
        self._factor = height / shapes.frame_height
        self._scratch = _scratch_of(self.threads, g.floats)
        ints = ROWS * g.warped_width // LANES * PLACE_INTS + 2 * LANES
        self._ints = np.zeros((self.threads, ints), np.int32)
        self._places = np.zeros((self.threads, 32), np.intp)
        self._jobs = np.zeros(1, np.intp)
        self._pool = ThreadPoolExecutor(self.threads - 1, "fusion") if self.threads > 1 else None
        self._lock = threading.Lock()  # the scratch memory serves one run at a time
        self._fuse = shipped_kernel("fuse_strips") or _compiled()

    @property
    def nbytes(self) -> int:
        """Memory that the kernel holds between calls, in bytes."""
        tables = [part for axis in self._tables for part in (axis if isinstance(axis, tuple) else (axis,))]
        held = [self._scratch, self._ints, self._places, self._query_weights, self._seen_weights, *tables]
        return sum(array.nbytes for array in held)

    def run(
        self,
        key_feature: np.ndarray,
        flow: np.ndarray,
        lr_feature: np.ndarray,
        out: np.ndarray | None = None,
        rows: tuple[int, int] | None = None,
    ) -> np.ndarray:
        """Return the fused feature ``[C, h, w] float32``, with the leading axes that ``key_feature`` has.

        Args:
            key_feature: ``[C, h, w]`` or ``[1, C, h, w]`` float32, contiguous: feature of the keyframe.
            flow: ``[Hg, Wg, 2]`` float32, contiguous, luma pixels, x then y, from the current frame to the keyframe.
                Cells that point outside the keyframe find zeros; so do those that are not numbers, and those beside
                them.
            lr_feature: ``[C, h', w']`` or ``[1, C, h', w']`` float32, contiguous.
            out: where to write, shaped as ``key_feature``, not overlapping it; ``None`` makes a new array.
            rows: first and one past the last row to fuse; ``out`` holds only these. A part of the rows takes a little
                longer than its share: rows above it, one more than a window has, are prepared anew.

        Raises:
            OptionError: an array has another shape or type, or is not contiguous; or there are no such rows.
        """
        shapes = self.shapes
        first, last = rows or (0, shapes.feature[0])
        if not 0 <= first < last <= shapes.feature[0]:
            raise OptionError(f"cannot fuse rows {first} to {last}: the feature has rows 0 to {shapes.feature[0]}")
        if out is None:
            out = np.empty((*key_feature.shape[:-2], last - first, key_feature.shape[-1]), np.float32)
        expected = {
            "key_feature": (key_feature, (shapes.channels, *shapes.feature)),
            "flow": (flow, (*shapes.flow, 2)),
            "lr_feature": (lr_feature, (shapes.channels, *shapes.lr_feature)),
            "out": (out, (shapes.channels, last - first, shapes.feature[1])),
        }
        faults = [
            f"{name} is {array.dtype}{list(array.shape)}{'' if array.flags.c_contiguous else ' not contiguous'}, "
            f"expected float32{list(shape)}"
            for name, (array, shape) in expected.items()
            if array.dtype != np.float32 or array.shape[-3:] != shape or array.size != np.prod(shape)
            or not array.flags.c_contiguous
        ]  # fmt: skip
        if faults:
            raise OptionError("cannot fuse: " + "; ".join(faults))
        shift = out.ctypes.data // 4 % LANES if out.nbytes >= _LARGE else -1
        with self._lock:
            self._jobs[0] = 0
            shared = (
                key_feature.reshape(-1), flow.reshape(-1), self._factor, lr_feature.reshape(-1), *self._tables,
                self._query_weights, self._seen_weights, self._position_bias, out.reshape(-1), shift, self._jobs,
                geometry_of_rows(self._geometry, first, last, self.threads),
            )  # fmt: skip
            own = zip(self._scratch, self._ints, self._places, strict=True)
            tables = [table_of((*shared, *mine)) for mine in own]
            helpers = [self._pool.submit(self._fuse, table.ctypes.data) for table in tables[1:]] if self._pool else []
            try:
                self._fuse(tables[0].ctypes.data)
            finally:
                for helper in helpers:
                    helper.result()
        return out


def _weight_table(weights: FusionWeights, channels: int, *names: str) -> np.ndarray:
    """Return taps and bias of the named convolutions side by side, flat ``[C, 10 * names]``."""
    parts = []
    faults = []
    for name in names:
        weight, bias = np.asarray(getattr(weights, f"{name}_weight")), np.asarray(getattr(weights, f"{name}_bias"))
        if weight.size != channels * 9 or weight.shape[0] != channels or weight.shape[-2:] != (3, 3):
            faults.append(f"{name}_weight is {list(weight.shape)}, expected [{channels}, 1, 3, 3]")
        if bias.shape != (channels,):
            faults.append(f"{name}_bias is {list(bias.shape)}, expected [{channels}]")
        if not faults:
            parts += [weight.reshape(channels, 9), bias.reshape(channels, 1)]
    if faults:
        raise OptionError("weights do not fit the features: " + "; ".join(faults))
    return np.ascontiguousarray(np.concatenate(parts, axis=1), dtype=np.float32).reshape(-1)


def _checked_bias(weights: FusionWeights, window: int) -> np.ndarray:
    bias = np.ascontiguousarray(weights.position_bias, np.float32)
    if bias.shape != (window**2,):
        raise OptionError(f"position_bias is {list(bias.shape)}, expected [{window**2}]")
    return bias


def _scratch_of(threads: int, floats: int) -> np.ndarray:
    """Return ``[threads, floats]`` zeros that start on a 2 MiB page, in memory that may be backed by such pages.

    A strip's rows touch more small pages than the translation cache of a core holds. NumPy asks for large pages when
    an array has 4 MiB or more, hence the spare room; it is never touched.
    """
    page = (2 << 20) // 4
    memory = np.zeros(max(threads * floats, page) + 2 * page, np.float32)
    start = -(memory.ctypes.data // 4) % page
    return memory[start : start + threads * floats].reshape(threads, floats)


def _compiled() -> Kernel:
    # Only where nothing is shipped for this CPU: to import Numba takes longer than all else.
    from edge_arseg.runtime.kernels.numba_fuse.launch import compiled_fusion

    return compiled_fusion()
