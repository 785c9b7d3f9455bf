"""Whether a folder can be written, asked before any work is done and without leaving a trace."""

import os
import tempfile
from pathlib import Path

from edge_arseg.errors import SinkError


def check_writable(folder: Path, advice: str) -> None:
    """Refuse a folder that is not there and cannot be made, or that nothing can be written into.

    A nameless file is tried: permissions alone do not tell of read-only disks, quotas or users of a network's disk.

    Args:
        folder: to be written later; it or its parents may be missing.
        advice: what to type where it cannot be written.

    Raises:
        SinkError: it cannot be written.
    """
    there = folder.absolute()
    while not os.path.lexists(there):
        there = there.parent
    try:
        if not there.is_dir():
            raise NotADirectoryError(f"{there} is not a folder")
        if not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError("no permission")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise SinkError(f"{folder}: cannot be written ({error.strerror or error}); {advice}") from error
