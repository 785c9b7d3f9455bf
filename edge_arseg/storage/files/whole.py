"""A file that appears whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge_arseg.storage.files.identity import is_special


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
