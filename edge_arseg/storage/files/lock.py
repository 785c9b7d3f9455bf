"""Who writes to a file now."""

import os
import time
from contextlib import suppress
from pathlib import Path

from edge_arseg.storage.files.identity import is_special

try:
    import fcntl
except ImportError:  # not a POSIX system: no locks there
    fcntl = None  # type: ignore[assignment]

_DAY_S = 24 * 3600.0


def is_running(process: int) -> bool:
    """Whether a process of this number is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Lock:
    """A lock on an open file or folder, held until it is released, forgotten, or the process ends, in whatever way.

    Processes that write results respect it; nobody else is hindered. Where the file system has no locks, none is held.

    Args:
        path: what is locked; it must exist.

    Attributes:
        proves: nobody else can hold it; false until it is taken, and where the file system has no locks.
    """

    def __init__(self, path: Path) -> None:
        self.proves = False
        self._descriptor: int | None = None
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))

    def taken(self) -> bool:
        """Take the lock if nobody else holds it; say whether it is free, and ours now."""
        if fcntl is None or self._descriptor is None:
            return True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # the file system has none
            return True
        self.proves = True
        return True

    def wait(self) -> None:
        """Take the lock as soon as nobody else holds it; at once where the file system has none."""
        if fcntl is not None and self._descriptor is not None:
            with suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    @property
    def nameless(self) -> bool:
        """Whether the file has no name any more, so that it goes when it is closed; not so where it was renamed."""
        return self._descriptor is not None and os.fstat(self._descriptor).st_nlink == 0

    def release(self) -> None:
        """Let go; safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        self.release()


def lock_on(path: Path) -> Lock | None:
    """Return a held lock on a file or folder; ``None`` where another process holds it.

    Raises:
        OSError: it cannot be opened.
    """
    lock = Lock(path)
    if lock.taken():
        return lock
    lock.release()
    return None


def lock_on_abandoned(path: Path) -> Lock | None:
    """Return a lock on a file or folder that no running process uses; ``None`` where one does, or may.

    Where the file system has no locks nothing tells, and what was changed less than a day ago counts as used.

    Raises:
        OSError: it cannot be opened.
    """
    lock = lock_on(path)
    if lock is None or lock.proves or time.time() - path.stat().st_mtime > _DAY_S:
        return lock
    lock.release()
    return None


def share_lock(descriptor: int) -> None:
    """Let an open file count as locked for as long as it is open; others may write to it in the same way."""
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


def is_locked(path: Path) -> bool:
    """Whether a running process writes to a file now."""
    if is_special(path):
        return False
    try:
        lock = lock_on(path)
    except OSError:
        return False
    if lock is not None:
        lock.release()
    return lock is None
