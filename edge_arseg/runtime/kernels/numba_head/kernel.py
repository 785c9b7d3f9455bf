"""Classifier, upsampling and argmax on the CPU, without scores of frame size."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from edge_arseg.errors import OptionError
from edge_arseg.native.library import Kernel, shipped_kernel
from edge_arseg.native.table import table_of
from edge_arseg.runtime.device.cores import usable_cores
from edge_arseg.runtime.kernels.numba.registers import LANES
from edge_arseg.runtime.kernels.numba_head.geometry import CLASSES, TILE, DecodeShapes, Geometry
from edge_arseg.runtime.kernels.numba_head.tables import RowTaps, column_taps, row_taps

_MOST_CLASSES = 256
_STRIPS, _STRIPS_OF_THREAD = 8, 4
"""Strips that a frame has at least, in all and for each thread, so that they finish together. Two neighbours both make
scores of the rows between them."""
_SCORE_BYTES = 256 << 10
"""Scores of one strip that stay in a core's second-level cache beside the feature."""


class DecodeKernel:
    """A decoder of fixed shapes and weights; all memory is taken when it is made.

    The class of a pixel is the first maximum of ``weight @ feature + bias``, resized bilinearly as ``DecodeShapes``
    says. It equals the ``head`` graph's up to rounding. Features must be finite: a score that is not a number wins
    only as class 0.

    Attributes:
        shapes: the shapes it was made for.
        threads: threads that work on one class map; the result does not depend on their number.
    """

    def __init__(self, shapes: DecodeShapes, weight: np.ndarray, bias: np.ndarray, threads: int | None = None) -> None:
        """Compile (or load) the kernel and take its memory.

        Args:
            shapes: sizes of feature and frame.
            weight: ``[classes, C] float32`` of the classifier, 1 to 256 classes.
            bias: ``[classes] float32``.
            threads: ``None`` means all cores this process may use.

        Raises:
            OptionError: shapes or weights do not fit together, or ``threads`` is below 1.
        """
        if threads is not None and threads < 1:
            raise OptionError(f"a decoder cannot run on {threads} threads, expected 1 or more")
        classes = weight.shape[0] if weight.ndim else 0
        if weight.shape != (classes, shapes.channels) or bias.shape != (classes,) or not 0 < classes <= _MOST_CLASSES:
            raise OptionError(
                f"classifier weight {list(weight.shape)} and bias {list(bias.shape)} seen, expected "
                f"[classes, {shapes.channels}] and [classes], 1 to {_MOST_CLASSES} classes"
            )
        available = usable_cores()
        self.shapes = shapes
        self.threads = threads or available
        (height, width), (rows, columns) = shapes.frame, shapes.feature
        self._rows = row_taps(rows, shapes.resizes(0))
        self._columns = column_taps(columns, shapes.resizes(1))
        padded = -(-classes // CLASSES) * CLASSES
        strip_rows, source_rows = _strip(self._rows, height, 4 * padded * columns, self.threads)
        # Behind a strip's scores is room for a whole tile, or for a register that begins in the last row.
        score_step = _up(source_rows * columns, TILE) + TILE
        self._geometry = Geometry(
            channels=shapes.channels,
            classes=classes,
            padded_classes=padded,
            source_width=columns,
            plane=max(rows * columns, TILE),
            height=height,
            width=width,
            strip_rows=strip_rows,
            strips=-(-height // strip_rows),
            score_step=score_step,
            line_step=_up(columns, LANES) + LANES,
            row_taps=self._rows.taps,
            first_row=0,
            last_row=height,
        )
        g = self._geometry
        self._weights = np.zeros((shapes.channels, padded), np.float32)
        self._weights[:, :classes] = weight.T
        self._weights = self._weights.reshape(-1)
        self._bias = np.zeros(padded, np.float32)
        self._bias[:classes] = bias
        self._scores = np.zeros((self.threads, TILE + padded * score_step), np.float32)
        self._line = np.zeros((self.threads, classes * g.line_step), np.float32)
        self._row = np.zeros((self.threads, _up(width, LANES)), np.uint8)
        self._winners = np.zeros((self.threads, _up(source_rows * columns, LANES)), np.uint8)
        self._runs = np.zeros((self.threads, source_rows * len(self._columns.first)), np.int32)
        self._small = np.zeros((shapes.channels, TILE), np.float32) if rows * columns < TILE else None
        self._jobs = np.zeros(1, np.intp)
        self._pool = ThreadPoolExecutor(self.threads - 1, "decode") if self.threads > 1 else None
        self._lock = threading.Lock()  # the working memory serves one run at a time
        self._decode = shipped_kernel("decode_strips") or _compiled()

    @property
    def nbytes(self) -> int:
        """Memory that the kernel holds between calls, in bytes."""
        tables = [*self._rows[1:], *self._columns]
        held = [self._scores, self._line, self._row, self._winners, self._runs]
        return sum(array.nbytes for array in [*held, self._weights, *tables])

    @property
    def divisible(self) -> bool:
        """Whether each row of the class map needs the same row of the feature and no other: parts can be decoded."""
        return self.shapes.feature[0] == self.shapes.frame[0] and self._rows.taps == 1 and self._small is None

    def run(
        self, feature: np.ndarray, out: np.ndarray | None = None, rows: tuple[int, int] | None = None
    ) -> np.ndarray:
        """Return the class map ``[H, W] uint8``.

        Args:
            feature: ``[C, h, w]`` or ``[1, C, h, w]`` float32, contiguous.
            out: where to write; ``None`` makes a new array.
            rows: first and one past the last row to decode, where the decoder is ``divisible``; both arrays hold only
                these.

        Raises:
            OptionError: an array has another shape or type, or is not contiguous; or there are no such rows.
        """
        (height, width), source_rows = self.shapes.frame, self.shapes.feature[0]
        first, last = rows or (0, height)
        part = (first, last) != (0, height)
        if part:
            if not (self.divisible and 0 <= first < last <= height and (last - first) * width >= TILE):
                raise OptionError(f"cannot decode rows {first} to {last} of a class map of {height}x{width} alone")
            source_rows = last - first
        if out is None:
            out = np.empty((last - first, width), np.uint8)
        shape = (self.shapes.channels, source_rows, self.shapes.feature[1])
        faults = [
            f"{name} is {array.dtype}{list(array.shape)}{'' if array.flags.c_contiguous else ' not contiguous'}, "
            f"expected {dtype}{list(expected)}"
            for name, array, dtype, expected in (
                ("feature", feature, "float32", shape),
                ("out", out, "uint8", (last - first, width)),
            )
            if array.dtype != dtype or array.shape[-len(expected) :] != expected or array.size != np.prod(expected)
            or not array.flags.c_contiguous
        ]  # fmt: skip
        if faults:
            raise OptionError("cannot decode: " + "; ".join(faults))
        with self._lock:
            source = feature.reshape(-1)
            if self._small is not None:
                self._small[:, : shape[1] * shape[2]] = feature.reshape(shape[0], -1)
                source = self._small.reshape(-1)
            self._jobs[0] = 0
            g = self._geometry
            if part:
                plane, strips = source_rows * shape[2], -(-(last - first) // g.strip_rows)
                g = g._replace(plane=plane, strips=strips, first_row=first, last_row=last)
            shared = (source, self._weights, self._bias, self._rows, self._columns, out.reshape(-1), self._jobs, g)
            own = zip(self._scores, self._line, self._row, self._winners, self._runs, strict=True)
            tables = [table_of((*shared, *mine)) for mine in own]
            helpers = [self._pool.submit(self._decode, table.ctypes.data) for table in tables[1:]] if self._pool else []
            try:
                self._decode(tables[0].ctypes.data)
            finally:
                for helper in helpers:
                    helper.result()
        return out


def _up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple


def _strip(rows: RowTaps, height: int, row_bytes: int, threads: int) -> tuple[int, int]:
    """Return the output rows of a strip and the source rows that it needs at most."""
    strip_rows = -(-height // max(_STRIPS, _STRIPS_OF_THREAD * threads))
    while True:
        tops = np.arange(0, height, strip_rows)
        bottoms = np.minimum(tops + strip_rows, height) - 1
        source_rows = int((rows.first[bottoms] - rows.first[tops]).max()) + rows.taps
        if strip_rows == 1 or source_rows * row_bytes <= _SCORE_BYTES:
            return strip_rows, source_rows
        strip_rows = -(-strip_rows // 2)


def _compiled() -> Kernel:
    # Only where nothing is shipped for this CPU: to import Numba takes longer than all else.
    from edge_arseg.runtime.kernels.numba_head.launch import compiled_decode

    return compiled_decode()
