"""Folders that are there for the time of a block, and go even where a process was killed."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from edge_arseg.errors import SinkError
from edge_arseg.storage.files.lock import lock_on, lock_on_abandoned
from edge_arseg.storage.folders import check_room

_OLD_S = 60.0
"""A folder that is younger may belong to a process that has not locked it yet."""


def check_scratch_room(needed: int) -> None:
    """Refuse where the folder for temporary files has less room than will be needed in any case.

    Args:
        needed: bytes, at least.

    Raises:
        SinkError: it has less, or there is no such folder.
    """
    check_room(_place(), needed, option="export TMPDIR=FOLDER")


@contextmanager
def scratch_folder(what: str) -> Iterator[Path]:
    """A folder for what is only looked at on the way.

    It is locked while it is in use. What killed processes left of the same kind is removed first.

    Args:
        what: a word for its name, ``edge-arseg-WHAT-...``.

    Raises:
        SinkError: no folder for temporary files can be written.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(temporary_folder(_place(), f"edge-arseg-{what}-"))
        except OSError as error:
            raise _refused(error) from error
        yield folder


@contextmanager
def temporary_folder(place: Path, prefix: str) -> Iterator[Path]:
    """A folder in ``place``, as ``scratch_folder`` is one in that for temporary files; it may be renamed meanwhile.

    Args:
        place: a folder that is there.
        prefix: of its name; all in ``place`` that begin like this are of this kind.

    Raises:
        OSError: it cannot be made.
    """
    _remove_left(place, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    lock = None
    try:
        with suppress(OSError):
            lock = lock_on(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            lock.release()


def _place() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        raise _refused(error) from error


def _refused(error: OSError) -> SinkError:
    if isinstance(error, SinkError):
        return error
    return SinkError(
        f"no temporary folder can be written ({error.strerror or error}); name one with room and type the same "
        "again: export TMPDIR=FOLDER"
    )


def _remove_left(place: Path, prefix: str) -> None:
    """Remove folders that no running process uses."""
    for left in place.glob(f"{prefix}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime < _OLD_S or left.is_symlink():
                continue
            lock = lock_on_abandoned(left)
            if lock is not None:
                shutil.rmtree(left, ignore_errors=True)
                lock.release()
