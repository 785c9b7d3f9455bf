"""Class ids as an archive that ``numpy.load`` reads."""

import gzip
import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np

from edge_arseg.errors import SinkError
from edge_arseg.spec.frame import SegmentedFrame
from edge_arseg.spec.model import ClassInfo
from edge_arseg.storage.files.output import check_output
from edge_arseg.video.sinks.base import Sink, sink_errors
from edge_arseg.video.sinks.class_ids.archive_format import BLOCK, class_ids_written, new_archive, write_array
from edge_arseg.video.sinks.class_ids.claim import Claim, is_claimed
from edge_arseg.video.sinks.class_ids.one_size import changed_size
from edge_arseg.video.sinks.new_file import NewFile


class NpzSink(Sink):
    """Writes one ``.npz`` when it is closed, whole or not at all.

    ===============  ===================  ==================================================================
    array            shape and type       holds
    ===============  ===================  ==================================================================
    ``class_ids``    ``[N, H, W] uint8``  the class maps; 255 where the network did not see the picture
    ``index``        ``[N] int64``        of the frame in its source
    ``time_s``       ``[N] float64``      of the frame, seconds
    ``branch``       ``[N] str``          ``hr`` or ``lr``
    ``class_names``  ``[K] str``          by class index
    ===============  ===================  ==================================================================

    Until then the class maps lie compressed in a file without a name beside the place, so a run needs no memory for
    them, and one that is killed leaves nothing. All frames have one size: that of the source's first picture, or the
    output size that was asked for. Where the source changes its size, the archive holds the frames before that.

    Args:
        target: the URI, for messages.
        path: the file; see ``NewFile``.
        size: rows and columns of the output.
        classes: names and colours, by index.
        force: a file that is there may be replaced.

    Raises:
        SinkError: the file cannot be made, or is there already.
    """

    def __init__(
        self,
        target: str,
        path: Path,
        size: tuple[int, int],
        classes: tuple[ClassInfo, ...],
        *,
        force: bool = False,
    ) -> None:
        super().__init__(target)
        self._size, self._classes = size, classes
        self._index: list[int] = []
        self._time_s: list[float] = []
        self._branch: list[str] = []
        with sink_errors(target):
            self._claim = Claim(path)
            if not self._claim.free:
                raise _busy(target)
            with ExitStack() as stack:
                stack.callback(self._claim.release)
                self._new = NewFile(target, path, force=force)
                stack.callback(self._new.discard)
                self._kept = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 - closed with the sink
                stack.pop_all()
        self._packed = gzip.GzipFile(fileobj=self._kept, mode="wb", compresslevel=1)

    def _write(self, result: SegmentedFrame) -> None:
        class_map = result.at_source()
        if class_map.shape != self._size:
            self._close()
            why = "an array has one size; the frames before it are kept"
            raise changed_size(self.target, self._size, result, why)
        self._packed.write(np.ascontiguousarray(class_map).data)
        self._index.append(result.frame.index)
        self._time_s.append(result.frame.time_s)
        self._branch.append(result.branch.value)

    def _close(self) -> None:
        try:
            if self._index and not self._kept.closed:
                self._packed.close()
                self._kept.seek(0)
                self._write_archive()
                self._new.publish()
        finally:
            self._let_go()

    def _write_archive(self) -> None:
        with new_archive(self._new.writes_to, "w") as archive:
            with (
                class_ids_written(archive, (len(self._index), *self._size)) as member,
                gzip.GzipFile(fileobj=self._kept, mode="rb") as packed,
            ):
                shutil.copyfileobj(packed, member, BLOCK)
            for name, array in (
                ("index", np.array(self._index, np.int64)),
                ("time_s", np.array(self._time_s, np.float64)),
                ("branch", np.array(self._branch)),
                ("class_names", np.array([one.name for one in self._classes])),
            ):
                write_array(archive, name, array)

    def _abandon(self) -> None:
        self._let_go()

    def _let_go(self) -> None:
        with suppress(OSError):
            self._packed.close()
        with suppress(OSError):
            self._kept.close()
        self._new.discard()
        self._claim.release()


def check_npz(target: str, path: Path, *, force: bool) -> None:
    """Refuse a file that is there already, or that a running process will write when it ends.

    Raises:
        SinkError: it is, or will be.
    """
    if is_claimed(path):
        raise _busy(target)
    check_output(path, force=force, what=target)


def _busy(target: str) -> SinkError:
    return SinkError(f"cannot write {target}: a running process writes to it; choose another name")
