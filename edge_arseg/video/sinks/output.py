"""Where a sink writes the bytes of one file."""

import os
import select
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from edge_arseg.video.sinks.new_file import NewFile


class Output:
    """A new file, a device or pipe, or an open descriptor, written to at once and without a buffer.

    Args:
        target: the URI, for messages.
        path: the file, see ``NewFile``; it counts where there is no descriptor.
        descriptor: an open file to write to, such as 3 for ``/dev/fd/3``; it stays open.
        force: a file that is there may be replaced.

    Raises:
        SinkError: the file is there already.
        OSError: it cannot be opened.
    """

    def __init__(self, target: str, path: Path | None, *, descriptor: int | None = None, force: bool = False) -> None:
        self._new: NewFile | None = None
        self._file: BinaryIO | None = None
        if descriptor is not None:
            self._file = os.fdopen(os.dup(descriptor), "wb", buffering=0)
            return
        assert path is not None
        self._new = NewFile(target, path, force=force)
        if self._new.published:  # a device or pipe
            self._file = path.open("wb", buffering=0)

    def write(self, data: bytes | memoryview) -> None:
        """Write all of it; with the first bytes the file gets its name.

        Raises:
            BrokenPipeError: nobody reads any more.
            OSError: it cannot be written.
        """
        if self._file is None:
            assert self._new is not None
            self._file = self._new.writes_to.open("xb", buffering=0)
        left = memoryview(data)
        try:
            while left:
                written = self._file.write(left)
                if written is None:  # a pipe that somebody has told not to wait
                    room = select.poll()  # `select` takes no descriptor from 1024 on
                    room.register(self._file, select.POLLOUT)
                    room.poll()
                else:
                    left = left[written:]
        except OSError:
            self._drop(len(data) - len(left))
            raise
        if self._new is not None:
            self._new.publish()

    def _drop(self, count: int) -> None:
        """Take back what of one record was written before the disk was full."""
        if count and self._new is not None and self._file is not None and self._file.seekable():
            with suppress(OSError):
                self._file.truncate(self._file.tell() - count)

    def close(self) -> None:
        """Close it; what has no name yet is removed. Safe to call twice.

        Raises:
            OSError: it cannot be closed, or was removed meanwhile.
        """
        try:
            if self._file is not None:
                self._file.close()
            if self._new is not None:
                self._new.check_there()
        finally:
            if self._new is not None:
                self._new.discard()
