"""A hold on the name of a file that is written at the end of a run, and cannot be locked before."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from edge_arseg.storage.files.identity import identity
from edge_arseg.storage.user_folders import user_cache

try:
    import fcntl
except ImportError:  # not a POSIX system: no locks there
    fcntl = None  # type: ignore[assignment]

_FILE = "claims"
"""In the user's cache. It stays empty: a claim is a lock on one byte behind its end."""

_held: set[int] = set()
"""Bytes that this process has locked. Locks of this kind are a process's: it cannot ask whether it has one itself."""
_descriptors: list[int] = []
"""The open file, once. To close it would let go of all bytes."""


class Claim:
    """Keeps other processes of this user from writing the same file; the end of the process in any way frees it.

    Where the cache cannot be written, or has no locks, nothing is kept.

    Args:
        path: of the file; it need not be there.

    Attributes:
        free: nobody else has it; it is this one's until ``release``.
    """

    def __init__(self, path: Path) -> None:
        name = hashlib.sha256(repr(identity(path)).encode()).digest()
        self._byte = int.from_bytes(name[:7], "big")
        self.free = self._byte not in _held and _locked(self._byte)
        if self.free:
            _held.add(self._byte)

    def release(self) -> None:
        """Let go; safe to call twice."""
        if self.free:
            self.free = False
            _held.discard(self._byte)
            if fcntl is not None and _descriptors:
                with suppress(OSError):
                    fcntl.lockf(_descriptors[0], fcntl.LOCK_UN, 1, self._byte)


def is_claimed(path: Path) -> bool:
    """Whether a running process, or a sink of this one, will write a file when it ends."""
    claim = Claim(path)
    free = claim.free
    claim.release()
    return not free


def _locked(byte: int) -> bool:
    """Lock a byte; say whether it was free."""
    if fcntl is None:
        return True
    if not _descriptors:
        file = user_cache() / _FILE
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            _descriptors.append(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError:
            return True
    try:
        fcntl.lockf(_descriptors[0], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except (BlockingIOError, PermissionError):  # POSIX lets a system say either
        return False
    except OSError:
        return True
    return True
