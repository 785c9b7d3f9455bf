"""Class ids as bytes, one frame after the other, for another program."""

import errno
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np

from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.storage.standard_output import STDOUT
from edge_arseg.video.sinks.base import Sink, sink_errors
from edge_arseg.video.sinks.class_ids.one_size import changed_size
from edge_arseg.video.sinks.output import Output


class RawSink(Sink):
    """Writes each class map as ``H * W`` bytes, row after row, with nothing before, between or behind.

    A byte is the class index, 255 where the network did not see the picture. All frames have one size: that of the
    source's first picture, or the output size that was asked for. ``numpy.fromfile(path, "u1").reshape(-1, H, W)``
    reads a file.

    When the reader of a pipe goes away, the sink is ``finished`` and stays quiet.

    Args:
        target: the URI, for messages.
        path: the file, see ``NewFile``; ``None`` is the standard output.
        size: rows and columns of the output.
        descriptor: an open file to write to instead of ``path``, such as 3 for ``/dev/fd/3``; 1 is the standard output.
        force: a file that is there may be replaced.

    Raises:
        SinkError: the file cannot be opened, or is there already.
    """

    def __init__(
        self,
        target: str,
        path: Path | None,
        size: tuple[int, int],
        *,
        descriptor: int | None = None,
        force: bool = False,
    ) -> None:
        super().__init__(target)
        self._size = size
        with sink_errors(target):
            if path is None and descriptor in (None, STDOUT) and sys.stdout is None:
                raise OSError(errno.EBADF, "the standard output is closed")
            descriptor = STDOUT if path is None and descriptor is None else descriptor
            self._output = Output(target, path, descriptor=descriptor, force=force)

    def _write(self, result: SegmentedFrame) -> None:
        class_map = result.at_source()
        if class_map.shape != self._size:
            raise changed_size(self.target, self._size, result, "raw frames have no size of their own")
        try:
            self._output.write(memoryview(np.ascontiguousarray(class_map).data).cast("B"))
        except BrokenPipeError:
            self.finished = True

    def _close(self) -> None:
        self._output.close()

    def _abandon(self) -> None:
        with suppress(OSError):
            self._close()
