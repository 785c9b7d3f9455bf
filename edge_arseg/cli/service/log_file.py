"""A file that gets what is told, for as long as a run lasts."""

import logging
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from edge_arseg.cli.service.log_format import JSON, line_of
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.lock import share_lock
from edge_arseg.storage.url import text_without_logins

_log = logging.getLogger(__name__)


class LogFile(logging.FileHandler):
    """Lines of a file, each with its time.

    Where somebody moves or removes the file, as logrotate does, it is begun anew. A disk that is full is told of once,
    and ends nothing: the lines are missing until it has room.

    Args:
        path: the file; what is in it stays.
        form: ``json``, or anything else for plain lines.
    """

    def __init__(self, path: Path, form: str) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
        self._path, self._form, self._told = path, form, False

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        share_lock(stream.fileno())  # so that no result of this run or another takes its place
        return stream

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, without logins."""
        return line_of(record, JSON) if self._form == JSON else text_without_logins(super().format(record))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        with suppress(OSError):  # then into the old one
            self._follow()
        super().emit(record)

    def _follow(self) -> None:
        before = self.stream
        if before is None:
            return
        try:
            same = os.path.samestat(os.stat(self.baseFilename), os.fstat(before.fileno()))  # noqa: PTH116 - no path
        except FileNotFoundError:
            same = False
        if not same:
            self.stream = self._open()
            with suppress(OSError):
                before.close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging calls
        """Say once that a line cannot be written; another error is a fault of ours, and logging shows it."""
        fault = sys.exc_info()[1]
        if not isinstance(fault, OSError):
            super().handleError(record)
        elif not self._told:
            self._told = True
            _log.warning("cannot write --log-file %s: %s", self._path, advice_on(fault, self._path))

    def close(self) -> None:
        """Close the file; what could not be written is lost."""
        with suppress(OSError):
            super().close()
