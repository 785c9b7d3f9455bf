"""Where something may be written: not over what is read, nor over anything at all without permission."""

import os
from collections.abc import Iterable
from pathlib import Path

from edge_arseg.errors import SinkError
from edge_arseg.storage.files.identity import identity, is_special
from edge_arseg.storage.files.lock import is_locked
from edge_arseg.storage.url import printable


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
