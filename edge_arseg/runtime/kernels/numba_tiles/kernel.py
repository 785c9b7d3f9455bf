"""CReFF and its head with AMX: keyframe feature, flow and LR feature to a class map in one call."""

import threading
from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.native.library import Kernel, shipped_kernel
from edge_arseg.native.table import table_of
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.runtime.kernels.numba.registers import LANES
from edge_arseg.runtime.kernels.numba_fuse.tables import axis_of
from edge_arseg.runtime.kernels.numba_head.geometry import DecodeShapes
from edge_arseg.runtime.kernels.numba_head.tables import column_taps, row_taps
from edge_arseg.runtime.kernels.numba_tiles.geometry import (
    BEFORE,
    COLUMNS,
    COUNTERS,
    DONE,
    MOST_TERMS,
    REACH,
    geometry_from_shapes,
)
from edge_arseg.spec.model import WINDOW
from edge_arseg.spec.weights import TAPS, UNSEEN, DecoderWeights, FusionShapes, FusionWeights

_INTS = 64
_KEPT = 16
"""Tables of arguments that are kept, beyond which those of arrays that come and go are dropped."""


class TileKernel:
    """A fusion with its head, of fixed shapes and weights; all memory is taken when it is made.

    It computes what ``FusionKernel`` and ``DecodeKernel`` compute one after the other, up to rounding: products of
    matrices are made of two bfloat16 terms for each number, or of one, where the features are worth no more.

    Attributes:
        shapes: of the fusion.
        decode: of the head.
        threads: threads that work on one frame; the result does not depend on their number.
    """

    def __init__(
        self,
        shapes: FusionShapes,
        weights: FusionWeights,
        decode: DecodeShapes,
        classifier: DecoderWeights,
        threads: int | None = None,
        *,
        terms: int = MOST_TERMS,
    ) -> None:
        """Load the kernel and take its memory.

        Args:
            shapes: sizes of features, flow and frame.
            weights: of the three convolutions.
            decode: sizes of the head; its feature is the fused one.
            classifier: of the head, 1 to 256 classes.
            threads: ``None`` means all cores this process may use.
            terms: bfloat16 terms of a number: 2 for float32, 1 for features that have no more than eight bits anyway.

        Raises:
            OptionError: shapes or weights do not fit together, or ``threads`` is below 1.
        """
        if threads is not None and threads < 1:
            raise OptionError(f"a fusion cannot run on {threads} threads, expected 1 or more")
        channels, (height, width) = shapes.channels, shapes.feature
        classes = len(classifier.weight)
        faults = [*weights.faults(), *classifier.faults()]
        if weights.query_bias.shape != (channels,) or classifier.weight.shape[1:] != (channels,):
            faults.append(f"weights are not for {channels} channels")
        if weights.window != shapes.window:
            faults.append(f"weights are for a window of {weights.window}, the shapes for one of {shapes.window}")
        if (decode.channels, decode.feature) != (channels, (height, width)) or not 0 < classes <= 256:
            faults.append(f"the head reads {decode.channels}x{decode.feature}, and has {classes} classes")
        if faults:
            raise OptionError("cannot fuse and decode: " + "; ".join(faults))
        self.shapes, self.decode, self.threads = shapes, decode, threads or usable_cores()
        self._rows, self._columns = row_taps(height, decode.resizes(0)), column_taps(width, decode.resizes(1))
        self._geometry = g = geometry_from_shapes(
            shapes, decode, classes, self._rows.taps, terms=terms, threads=self.threads
        )
        entries = g.strips * g.strip_width + g.warped_row // g.padded + LANES
        self._tables = (
            axis_of(shapes.lr_feature[1], width, before=1, after=entries - width - 1),
            axis_of(shapes.lr_feature[0], height),
            axis_of(shapes.flow[1], width, before=BEFORE + 1, after=entries - width - BEFORE - 1, like_torch=False),
            axis_of(shapes.flow[0], height, like_torch=False),
        )
        self._factor = height / shapes.frame_height
        self._query_weights = _taps_of(weights, g.padded, "query")
        self._seen_weights = _taps_of(weights, g.padded, "key", "value")
        self._position_bias = _bias_of_places(weights.position_bias_in(WINDOW))
        self._classifier = np.zeros((channels, g.padded_classes), np.float32)
        self._classifier[:, :classes] = classifier.weight.T
        self._bias = np.zeros(g.padded_classes, np.float32)
        self._bias[:classes] = classifier.bias
        # A block of columns or of rows may reach over the end of what it reads and writes.
        self._key = _aligned(height * width * g.padded + LANES)
        self._lr = _aligned(shapes.lr_feature[0] * shapes.lr_feature[1] * g.padded + LANES)
        self._scores = _aligned(classes * g.score_plane + LANES)
        self._winners = np.zeros(g.score_plane + LANES, np.uint8)
        self._scratch = [_aligned(g.floats) for _ in range(self.threads)]
        self._ints = [_aligned(_INTS).view(np.int32) for _ in range(self.threads)]
        runs = height * len(self._columns.first)
        self._runs = [np.zeros(runs, np.int32) for _ in range(self.threads)]
        self._row = [np.zeros(-(-g.frame_width // LANES) * LANES, np.uint8) for _ in range(self.threads)]
        self._arguments: dict[tuple[int, ...], list[np.ndarray]] = {}
        self._counters = np.zeros(COUNTERS, np.intp)
        self._pool = ThreadPoolExecutor(self.threads - 1, "fusion") if self.threads > 1 else None
        self._lock = threading.Lock()  # the working memory serves one run at a time
        self._segment = shipped_kernel("segment_frame") or _compiled()

    @property
    def nbytes(self) -> int:
        """Memory that the kernel holds between calls, in bytes."""
        held = [self._key, self._lr, self._scores, self._winners, *self._scratch, *self._ints, *self._runs, *self._row]
        return sum(array.nbytes for array in held)

    def run(
        self,
        key_feature: np.ndarray,
        flow: np.ndarray,
        lr_feature: np.ndarray,
        out: np.ndarray | None = None,
        *,
        same_key: bool = False,
    ) -> np.ndarray:
        """Return the class map ``[H, W] uint8``.

        Args:
            key_feature: ``[C, h, w]`` or ``[1, C, h, w]`` float32, contiguous: feature of the keyframe.
            flow: ``[Hg, Wg, 2]`` float32, contiguous, as ``FusionKernel.run`` takes it.
            lr_feature: ``[C, h', w']`` or ``[1, C, h', w']`` float32, contiguous.
            out: where to write; ``None`` makes a new array.
            same_key: the keyframe's feature is that of the last run, which is still known.

        Raises:
            OptionError: an array has another shape or type, or is not contiguous.
        """
        shapes, g = self.shapes, self._geometry
        out = np.empty(self.decode.frame, np.uint8) if out is None else out
        expected = {
            "key_feature": (key_feature, np.float32, (shapes.channels, *shapes.feature)),
            "flow": (flow, np.float32, (*shapes.flow, 2)),
            "lr_feature": (lr_feature, np.float32, (shapes.channels, *shapes.lr_feature)),
            "out": (out, np.uint8, self.decode.frame),
        }
        faults = [
            f"{name} is {array.dtype}{list(array.shape)}{'' if array.flags.c_contiguous else ' not contiguous'}, "
            f"expected {np.dtype(dtype)}{list(shape)}"
            for name, (array, dtype, shape) in expected.items()
            if array.dtype != dtype or array.shape[-len(shape) :] != shape or array.size != prod(shape)
            or not array.flags.c_contiguous
        ]  # fmt: skip
        if faults:
            raise OptionError("cannot fuse: " + "; ".join(faults))
        with self._lock:
            self._counters[:] = 0
            tables = self._tables_of(key_feature, flow, lr_feature, out, same_key)
            pool = self._pool
            helpers = [pool.submit(self._segment, table) for table in tables[1:]] if pool else []
            try:
                self._segment(tables[0])
            finally:
                for helper in helpers:
                    if not helper.cancel():  # one that has not begun is not waited for
                        helper.result()
            while self._counters[DONE] < g.decode_jobs:  # a helper had lost its core, or never had one
                self._segment(tables[0])
        return out

    def _tables_of(
        self, key_feature: np.ndarray, flow: np.ndarray, lr_feature: np.ndarray, out: np.ndarray, same_key: bool
    ) -> list[int]:
        """Return where the arguments of each thread are; they stay the same while arrays keep their place."""
        places = (*(array.__array_interface__["data"][0] for array in (key_feature, flow, lr_feature, out)), same_key)
        if places not in self._arguments:
            g = self._geometry
            shared = (
                key_feature.reshape(-1), self._key, flow.reshape(-1), self._factor, lr_feature.reshape(-1), self._lr,
                *self._tables, self._query_weights, self._seen_weights, self._position_bias,
                self._classifier.reshape(-1), self._bias, self._rows, self._columns, self._scores, self._winners,
                out.reshape(-1), self._counters, g._replace(key_jobs=0) if same_key else g,
            )  # fmt: skip
            own = zip(self._scratch, self._ints, self._runs, self._row, strict=True)
            if len(self._arguments) > _KEPT:
                self._arguments.clear()
            self._arguments[places] = [table_of((*shared, *mine)) for mine in own]
        return [table.__array_interface__["data"][0] for table in self._arguments[places]]


def _taps_of(weights: FusionWeights, padded: int, *names: str) -> np.ndarray:
    """Return taps and bias of the named convolutions, flat ``[padded / 16][10 * names][16]``."""
    parts = []
    for name in names:
        weight, bias = getattr(weights, f"{name}_weight"), getattr(weights, f"{name}_bias")
        parts += [weight.reshape(-1, TAPS * TAPS).T, bias[None]]
    table = np.concatenate(parts)
    table = np.pad(table, ((0, 0), (0, padded - table.shape[1])))
    blocks = table.reshape(len(table), -1, LANES).transpose(1, 0, 2)
    return np.ascontiguousarray(blocks, np.float32).reshape(-1)


def _bias_of_places(position_bias: np.ndarray) -> np.ndarray:
    """Return what is added to the similarities of each column of a block, in units of ln 2, flat ``[8][7][16]``."""
    table = np.full((COLUMNS, WINDOW, LANES), UNSEEN, np.float32)
    window = position_bias.reshape(WINDOW, WINDOW) / np.log(2)
    for column in range(COLUMNS):
        first = column + BEFORE - REACH
        table[column, :, first : first + WINDOW] = window
    return table.reshape(-1)


def _aligned(floats: int) -> np.ndarray:
    """Return zeros that start on a cache line; loads of tiles across two lines take twice as long."""
    memory = np.zeros(floats + 16, np.float32)
    start = -(memory.ctypes.data // 4) % 16
    return memory[start : start + floats]


def _compiled() -> Kernel:
    # Only where nothing is shipped for this CPU: to import Numba takes longer than all else.
    from edge_arseg.runtime.kernels.numba_tiles.launch import compiled_tiles

    return compiled_tiles()
