"""Files that samples are appended to while they are measured, so that what kills the process loses the last second.

A journal is a row of entries: ``length`` and CRC-32 of the body (two ``<u4``), the body. A body is JSON, or an array as
``numpy.save`` writes it. Each is written by one call of the system; a reader stops at the first that is not whole.
"""

import io
import json
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_arseg.errors import SinkError
from edge_arseg.storage.fault import advice_on

_HEAD = struct.Struct("<II")
_ARRAY = b"\x93NUMPY"


class Journal:
    """Appends entries; a context manager.

    Args:
        path: of a new file, or one whose entries are all whole.

    Raises:
        SinkError: it cannot be written, now or later.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._descriptor = path, -1
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        try:
            self._descriptor = os.open(path, flags, 0o644)
        except OSError as error:
            raise self._refusal(error) from error

    def say(self, **entry: Any) -> None:
        """Append a JSON object."""
        self._append(json.dumps(entry).encode())

    def add(self, table: NDArray[Any]) -> None:
        """Append an array."""
        body = io.BytesIO()
        np.save(body, table, allow_pickle=False)
        self._append(body.getvalue())

    def _append(self, body: bytes) -> None:
        left = memoryview(_HEAD.pack(len(body), zlib.crc32(body)) + body)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> SinkError:
        return SinkError(f"cannot write {self._path}: {advice_on(error, self._path, option='-o')}")

    def close(self) -> None:
        """Close the file; safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def repair(path: Path) -> None:
    """Cut off what follows the last whole entry, so that more can be appended; nothing where there is no file.

    Raises:
        OSError: it cannot be written.
    """
    if path.exists():
        whole = sum(_HEAD.size + len(body) for body in _bodies(path))
        os.truncate(path, whole)


def entries_of(path: Path) -> Iterator[dict[str, Any] | NDArray[Any]]:
    """Return the whole entries of a journal, in order; none where there is no file.

    Raises:
        OSError: it cannot be read.
    """
    for body in _bodies(path):
        yield np.load(io.BytesIO(body), allow_pickle=False) if body.startswith(_ARRAY) else json.loads(body)


def _bodies(path: Path) -> Iterator[bytes]:
    try:
        data = memoryview(path.read_bytes())
    except FileNotFoundError:
        return
    while len(data) >= _HEAD.size:
        length, check = _HEAD.unpack(data[: _HEAD.size])
        body, data = bytes(data[_HEAD.size : _HEAD.size + length]), data[_HEAD.size + length :]
        if len(body) < length or zlib.crc32(body) != check:
            return
        yield body
