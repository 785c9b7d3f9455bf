"""Writing a bundle, whole or not at all."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from edge_arseg.errors import OptionError, SinkError
from edge_arseg.runtime.bundles.reading import MANIFEST, SUFFIX, Bundle, read_bundle
from edge_arseg.spec.entries import FileEntry
from edge_arseg.spec.manifest import REVISION, Manifest, json_from_manifest
from edge_arseg.storage.files import check_inputs, is_running


def file_entries(contents: Mapping[str, bytes]) -> dict[str, FileEntry]:
    """Return digest and length of each file's content."""
    return {name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in contents.items()}


def write_bundle(
    path: Path | str,
    manifest: Manifest,
    contents: Mapping[str, bytes],
    *,
    force: bool = False,
    check: Callable[[Bundle], None] = lambda _: None,
) -> Bundle:
    """Write a bundle beside its final place, check it there, and rename it.

    A reader sees the old bundle or the new one, never a part of it. What a killed writer leaves is a folder with a
    leading dot and the writer's process number, which the next writer of the same bundle removes; if it was killed
    between moving the old bundle aside and the new one in, the next writer first brings the old one back.

    Args:
        path: the folder ``NAME.arseg``.
        manifest: its ``files`` are the entries of ``contents``; it is written in the newest revision.
        contents: path inside the bundle to content.
        force: replace a bundle that is there already.
        check: called with the written bundle before it gets its name; what it raises is raised, and nothing is kept.

    Returns:
        The bundle, read back and checked.

    Raises:
        OptionError: ``path`` does not end in ``.arseg``, or exists and ``force`` is not set.
        SinkError: the folder cannot be written.
    """
    manifest = replace(manifest, revision=REVISION)
    return _write_files(Path(path), {**contents, MANIFEST: json_from_manifest(manifest).encode()}, force, check)


def copy_bundle(bundle: Bundle, path: Path, *, force: bool = False) -> Bundle:
    """Copy a bundle, byte for byte, as ``write_bundle`` writes one.

    Args:
        bundle: checked.
        path: the folder ``NAME.arseg``.
        force: replace a bundle that is there already.

    Raises:
        OptionError, SinkError: see ``write_bundle``; or ``path`` is the bundle itself, or lies in it.
    """
    check_target(path, force=force, inputs=[bundle.path])
    names = (*bundle.manifest.files, MANIFEST)
    return _write_files(path, {name: (bundle.path / name).read_bytes() for name in names}, force, lambda _: None)


def _write_files(path: Path, contents: Mapping[str, bytes], force: bool, check: Callable[[Bundle], None]) -> Bundle:
    """Write all files of a bundle, its manifest among them."""
    with suppress(OSError):  # whatever is in the way, the writing below says it better
        _put_back(path)
    check_target(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        part = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.part-{os.getpid()}-"))
        try:
            for name, data in contents.items():
                _write(part / name, data)
            part.chmod(0o755)
            check(read_bundle(part))
            _replace(path, part)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise SinkError(
            f"{path}: cannot be written ({error.strerror or error}); expected a folder with room and permission"
        ) from error
    return read_bundle(path, digests=False)


def check_target(path: Path, *, force: bool, inputs: Iterable[Path] = ()) -> None:
    """Refuse a path that a bundle must not be written to, before any work is done.

    Args:
        path: the folder ``NAME.arseg``.
        force: a bundle that is there may be replaced.
        inputs: what the bundle is made from.

    Raises:
        SinkError: ``path`` is one of the inputs.
        OptionError: the name does not end in ``.arseg``, or something is there that may not be replaced.
        SinkError: the folder around it cannot be written.
    """
    if path.suffix != SUFFIX:
        raise OptionError(f"{path}: a bundle's name ends in {SUFFIX}; try -o {path.with_suffix(SUFFIX)}")
    check_inputs(path, inputs)
    if not path.exists():
        check_writable(path.parent, "expected a folder with room and permission")
        return
    if not force:
        raise OptionError(f"{path}: exists already; pass --force to replace it, or another name with -o")
    if not (path / MANIFEST).is_file():
        raise OptionError(f"{path}: exists and is no bundle, so it is not replaced; choose another name with -o")
    check_writable(path.parent, "expected a folder with room and permission")


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


def _put_back(path: Path) -> None:
    """Bring back a bundle that a writer moved aside and was killed before it replaced it."""
    for leftover in _leftovers(path, "old"):
        if not path.exists() and (leftover / path.name).is_dir():
            (leftover / path.name).rename(path)


def _remove_leftovers(path: Path) -> None:
    """Remove what writers of the same bundle left that are no longer running."""
    for leftover in [*_leftovers(path, "part"), *_leftovers(path, "old")]:
        shutil.rmtree(leftover, ignore_errors=True)


def _leftovers(path: Path, kind: str) -> list[Path]:
    """Return the hidden folders of writers that are no longer running."""
    stem = f".{path.name}.{kind}-"
    found = []
    for leftover in path.parent.iterdir() if path.parent.is_dir() else ():
        process = leftover.name.removeprefix(stem).partition("-")[0]
        if leftover.name.startswith(stem) and not (process.isdigit() and is_running(int(process))):
            found.append(leftover)
    return found


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, part: Path) -> None:
    """Rename ``part`` to ``path``; a bundle in the way is moved aside first and removed last."""
    if not path.exists():
        part.rename(path)
        return
    old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old-{os.getpid()}-"))
    path.rename(old / path.name)
    try:
        part.rename(path)
    except OSError:
        (old / path.name).rename(path)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
