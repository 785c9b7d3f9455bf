"""Files that are written: which is which, who writes to it now, and how a whole one gets its name."""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge_arseg.errors import SinkError
from edge_arseg.storage.url import printable

try:
    import fcntl
except ImportError:  # not a POSIX system: no locks there
    fcntl = None  # type: ignore[assignment]

_DESCRIPTOR = re.compile(r"/dev/std(in|out|err)|(?:/dev|/proc/self)/fd/([0-9]+)")

Identity = tuple[object, ...]
"""Equal for two spellings of one file: device and inode, and the rest of the path for what is not there yet."""


def descriptor_of(path: str | os.PathLike[str]) -> int | None:
    """Return the open descriptor that a path such as ``/dev/stdout`` or ``/dev/fd/3`` names, else ``None``."""
    match = _DESCRIPTOR.fullmatch(os.path.normpath(os.fspath(path)))
    if match is None:
        return None
    return int(match[2]) if match[2] else ("in", "out", "err").index(match[1])


def identity(path: str | os.PathLike[str]) -> Identity:
    """Return what two spellings of one file share: links and ``..`` make no difference, nor does upper case where the
    file system sees none.

    Raises:
        OSError: a folder on the way cannot be looked into.
    """
    real = Path(os.path.realpath(path))
    rest: list[str] = []
    for place in (real, *real.parents):
        with suppress(FileNotFoundError, NotADirectoryError):
            found = place.stat()
            return (found.st_dev, found.st_ino, *reversed(rest))
        rest.append(place.name)
    return (str(real),)


def identity_of_descriptor(descriptor: int) -> Identity | None:
    """Return the ``identity`` of the ordinary file behind a descriptor; ``None`` for terminals, pipes, closed ones."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def is_special(path: Path) -> bool:
    """Whether a path is there and takes bytes without keeping them: a device that is no disk, a pipe, a socket."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISBLK(mode))


def check_inputs(path: Path, inputs: Iterable[str | os.PathLike[str]], *, what: str | None = None) -> None:
    """Refuse an output that is an input, or lies in a folder that is one (a bundle). Nothing is opened.

    Args:
        path: the file or folder that will be written; devices and pipes are always good.
        inputs: what is read.
        what: the output as the user wrote it.

    Raises:
        SinkError: it is one.
    """
    told = printable(what or str(path))
    if is_special(path):
        return
    for one in inputs:
        try:
            own, found = identity(path), identity(one)
            inside = Path(one).is_dir() and found in map(identity, Path(os.path.realpath(path)).parents)
        except OSError as error:
            raise SinkError(f"cannot write {told}: {error.strerror or error}; choose another place") from error
        if own == found or inside:
            where = "inside " if inside else ""
            raise SinkError(
                f"cannot write {told}: it is {where}{printable(os.fspath(one))}, which is read; choose another name"
            )


def check_output(
    path: Path,
    *,
    force: bool,
    inputs: Iterable[str | os.PathLike[str]] = (),
    what: str | None = None,
    unless: str = "",
) -> None:
    """Refuse a file that would overwrite what is read, or anything at all without ``force``. Nothing is opened.

    Args:
        path: the file that will be written; devices and pipes are always good.
        force: the user allowed it to be replaced.
        inputs: see ``check_inputs``.
        what: the output as the user wrote it.
        unless: what else the user may have meant by a file that is there already.

    Raises:
        SinkError: the file is an input, is there already, or is being written to by a running process.
    """
    check_inputs(path, inputs, what=what)
    told = printable(what or str(path))
    if is_special(path) or os.path.isdir(path) or not os.path.lexists(path):  # noqa: PTH112 - never raises
        return
    if path.is_block_device():
        raise SinkError(f"cannot write {told}: it is a disk; choose a file")
    if is_locked(path):
        raise SinkError(f"cannot write {told}: a running process writes to it; choose another name")
    if not force:
        raise SinkError(
            f"cannot write {told}: it exists already; type --force to replace it, or choose another name{unless}"
        )


def write_whole(path: Path, data: bytes, *, sync: bool = False) -> Path:
    """Write a file under another name and rename it: the old one stays until the new one is whole.

    A device or pipe is written to as it is.

    Args:
        path: the file; folders on the way are made.
        data: its content.
        sync: wait until the disk has it, so that a power cut leaves one of the two as well.

    Raises:
        OSError: it cannot be written; nothing is left then.
    """
    if is_special(path):
        path.write_bytes(data)
        return path
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part, part.open("wb") as file:
        file.write(data)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    return path


def wait_for_disk(path: Path) -> None:
    """Wait until the disk has a file, or a folder of files: renamed after that, it is whole after a power cut too.

    Raises:
        OSError: the disk cannot take it.
    """
    if path.is_dir():
        os.sync()  # once for all: a flush for each of thousands of masks takes minutes on a card
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the hidden name under which a file is written; at the end it is renamed, and after a fault it is deleted.

    Args:
        path: the file, in a folder that is there.

    Raises:
        OSError: it cannot be renamed.
    """
    part = part_of(path)
    try:
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def part_of(path: Path) -> Path:
    """Return the hidden name beside ``path`` under which it is begun; same ending, used once."""
    return path.with_name(f".part-{os.getpid()}-{os.urandom(4).hex()}{path.suffix}")


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
    """

    def __init__(self, path: Path) -> None:
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
