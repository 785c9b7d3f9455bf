"""Writing a bundle, whole or not at all."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from edge_arseg.arguments import path_from
from edge_arseg.errors import BundleError, OptionError, SinkError
from edge_arseg.runtime.bundles.reading import MANIFEST, SUFFIX, Bundle, read_bundle, read_manifest
from edge_arseg.spec.engine_key import FOLDER, graph_digests
from edge_arseg.spec.entries import FileEntry
from edge_arseg.spec.manifest import REVISION, Manifest, json_from_manifest
from edge_arseg.spec.model import name_faults
from edge_arseg.storage.fault import advice_on
from edge_arseg.storage.files.lock import Lock, is_locked, is_running
from edge_arseg.storage.files.output import check_inputs
from edge_arseg.storage.folders import check_room, check_writable, made_folders, remove_folders
from edge_arseg.storage.scratch import scratch_folder
from edge_arseg.storage.uninterrupted import uninterrupted

_FOLDERS = ("onnx", "fusion", "decoder", "golden", "quantization", "kernels", FOLDER)
"""What writers of bundles put in the folder of one, beside the manifest."""
_LONGEST = 200
"""Bytes of a name, at most: a hidden one beside it is longer, and file systems take 255."""
_OF_DESKTOPS = (".DS_Store", "Thumbs.db", "desktop.ini", ".directory")


class NewBundle:
    """The place of a bundle: looked at before the work that makes it, written behind it.

    A reader sees the old bundle or the new one, never a part of it. Engines of the old bundle stay where the new one
    has the same graphs. What a killed writer leaves is a folder with a leading dot and the writer's process number,
    locked while it writes. The next writer of the same bundle removes it.
    If the writer was killed between moving the old bundle aside and the new one in, the next writer first brings the
    old one back.

    Attributes:
        path: the folder ``NAME.arseg``.
    """

    def __init__(self, path: Path | str, *, force: bool = False, inputs: Iterable[Path] = (), needed: int = 0) -> None:
        """Look at the place. Nothing is made.

        Args:
            path: the folder ``NAME.arseg``.
            force: a bundle that is there is replaced.
            inputs: what the bundle is made from.
            needed: bytes that it takes at least, as far as that is known before the work.

        Raises:
            SinkError: ``path`` is one of the inputs or lies in one, or the folder around it cannot be written or has
                no room.
            OptionError: the name does not end in ``.arseg``, or something is there that may not be replaced.
        """
        self.path = path_from("a bundle at", path)
        self._force, self._inputs = force, tuple(inputs)
        self._check()
        check_room(_real(self.path), needed, option="-o")

    @property
    def name(self) -> str:
        """What the bundle is called: the folder without its ending."""
        return self.path.name.removesuffix(SUFFIX)

    def write(
        self, manifest: Manifest, contents: Mapping[str, bytes], *, check: Callable[[Bundle], None] = lambda _: None
    ) -> Bundle:
        """Write the bundle beside its place, check it there, and rename it.

        Args:
            manifest: the revision is the newest, and ``files`` are those of ``contents``, whatever it says of them.
            contents: path inside the bundle to content.
            check: called with the written bundle before it gets its name; where it raises, nothing is kept.

        Returns:
            The bundle, read back and checked.

        Raises:
            OptionError: something is there by now that may not be replaced.
            BundleError: the contents contradict the manifest.
            SinkError: the folder cannot be written.
        """
        return self._write(_with_manifest(manifest, contents), check)

    def copy(self, bundle: Bundle) -> Bundle:
        """Copy a bundle, byte for byte, as ``write`` writes one.

        Raises:
            BundleError: it cannot be read.
            OptionError, SinkError: see ``write``.
        """
        return self._write(bundle.contents((*bundle.manifest.files, MANIFEST)), lambda _: None)

    @contextmanager
    def trial(self, manifest: Manifest, contents: Mapping[str, bytes]) -> Iterator[Bundle]:
        """Write the bundle as it is so far to a folder for temporary files, for the time of a ``with`` block.

        Raises:
            SinkError: no such folder can be written, or it has no room.
        """
        with scratch_folder("quantize") as folder:
            trial, files = folder / f"trial{SUFFIX}", _with_manifest(manifest, contents)
            needed = sum(map(len, files.values()))
            try:
                for name, data in files.items():
                    _write(trial / name, data)
            except OSError as error:
                raise SinkError(
                    f"cannot write {trial}, a bundle that is only tried: {advice_on(error, trial, needed=needed)}: "
                    "export TMPDIR=FOLDER, and type the same again"
                ) from error
            yield read_bundle(trial)

    def _check(self) -> None:
        path, advice = self.path, "expected a folder with room and permission: name one with -o"
        if path.suffix != SUFFIX:
            inside = path.is_dir() or not path.name
            meant = path / f"NAME{SUFFIX}" if inside else path.with_suffix(SUFFIX)
            if path.name == SUFFIX:
                meant = path.with_name(f"NAME{SUFFIX}")
            raise OptionError(f"{path}: a bundle's name ends in {SUFFIX}; try -o {meant}")
        if faults := name_faults(self.name):
            raise OptionError(f"{path}: {faults[0]}; choose another name with -o")
        if len(os.fsencode(path.name)) > _LONGEST:
            raise OptionError(f"{path}: the name is longer than {_LONGEST} bytes; choose a shorter one with -o")
        check_inputs(path, self._inputs)
        place = _real(path)
        if not place.exists():
            check_writable(place.parent, advice)
            return
        if not self._force:
            raise OptionError(f"{path}: exists already; type --force to replace it, or another name with -o")
        if not (place / MANIFEST).is_file():
            raise OptionError(f"{path}: exists and is no bundle, so it is not replaced; choose another name with -o")
        if foreign := _foreign(place):
            told = ", ".join(foreign[:5]) + (f" and {len(foreign) - 5} more" if len(foreign) > 5 else "")
            raise OptionError(
                f"{path}: {told} inside is no part of a bundle and would be lost, so it is not replaced; move it "
                "elsewhere, or choose another name with -o"
            )
        for folder in (place.parent, place):  # a folder that may not be written cannot be moved aside either
            check_writable(folder, advice)

    def _write(self, contents: Mapping[str, bytes], check: Callable[[Bundle], None]) -> Bundle:
        """Write all files of a bundle, its manifest among them."""
        path = _real(self.path)
        with suppress(OSError):  # whatever is in the way, the writing below says it better
            _put_back(path)
        self._check()
        try:
            made = made_folders(path.parent)
            try:
                self._write_beside(path, contents, check)
            except BaseException:
                remove_folders(made)
                raise
        except OSError as error:
            needed = sum(map(len, contents.values()))
            raise SinkError(
                f"cannot write {self.path}: {advice_on(error, path, needed=needed, option='-o')}"
            ) from error
        return read_bundle(self.path, digests=False)

    def _write_beside(self, path: Path, contents: Mapping[str, bytes], check: Callable[[Bundle], None]) -> None:
        _remove_leftovers(path)
        part, lock = _hidden(path, "part")
        try:
            for name, data in contents.items():
                _write(part / name, data)
            check(read_bundle(part))
            self._check()  # another process may have written it meanwhile
            _replace(path, part)
        finally:
            shutil.rmtree(part, ignore_errors=True)
            lock.release()


def _real(path: Path) -> Path:
    """Return where a bundle lies: a link stays a link, and what it leads to is written."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _foreign(bundle: Path) -> list[str]:
    """Return what lies in the folder of a bundle that no writer of bundles puts there; desktops' own files are not told
    of.
    """
    try:
        files = read_manifest(bundle).files
    except BundleError:  # damaged: that is why it is replaced
        files = {}
    own = {*_FOLDERS, MANIFEST, *_OF_DESKTOPS, *(name.partition("/")[0] for name in files)}
    return sorted(child.name for child in bundle.iterdir() if child.name not in own)


def _with_manifest(manifest: Manifest, contents: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a bundle, with a manifest that has digest and length of each."""
    files = {name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in contents.items()}
    manifest = replace(manifest, revision=REVISION, files=files)
    return {**contents, MANIFEST: json_from_manifest(manifest).encode()}


def _put_back(path: Path) -> None:
    """Bring back a bundle that a writer moved aside and was killed before it replaced it."""
    for leftover in _leftovers(path, "old"):
        if not path.exists() and (leftover / path.name).is_dir():
            (leftover / path.name).rename(path)


def _remove_leftovers(path: Path) -> None:
    """Remove what writers of the same bundle left that are no longer running."""
    for leftover in [*_leftovers(path, "part"), *_leftovers(path, "old")]:
        shutil.rmtree(leftover, ignore_errors=True)


def _hidden(path: Path, kind: str) -> tuple[Path, Lock]:
    """Make a hidden folder beside a bundle; return it with the lock that says that it is in use."""
    folder = path.with_name(f".{path.name}.{kind}-{os.getpid()}-{os.urandom(4).hex()}")
    folder.mkdir()  # with the permissions of any other folder that is made there
    lock = Lock(folder)
    lock.taken()
    return folder, lock


def _leftovers(path: Path, kind: str) -> list[Path]:
    """Return the hidden folders of writers that are no longer running."""
    stem = f".{path.name}.{kind}-"
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    return [one for one in beside if one.name.startswith(stem) and not _in_use(one, one.name.removeprefix(stem))]


def _in_use(folder: Path, rest: str) -> bool:
    """Whether a writer is at work in a hidden folder.

    In a container the next writer often has the number of the one that was killed: then the lock alone tells. Where the
    file system has no locks, the number does.
    """
    process = rest.partition("-")[0]
    others = process.isdigit() and int(process) != os.getpid()
    return is_locked(folder) or (others and is_running(int(process)))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _keep_engines(old: Path, new: Path) -> None:
    """Move the engines of a bundle into the one that replaces it, where both have the same graphs."""
    if graph_digests(read_manifest(old)) == graph_digests(read_manifest(new)):
        (old / FOLDER).rename(new / FOLDER)


def _replace(path: Path, part: Path) -> None:
    """Rename ``part`` to ``path``; a bundle in the way is moved aside first and removed last.

    No signal comes between the renames, and whatever else does, the old bundle is put back or stays where it is.
    """
    if not path.exists():
        part.rename(path)
        return
    old, lock = _hidden(path, "old")
    try:
        with uninterrupted():
            path.rename(old / path.name)
            try:
                part.rename(path)
            except BaseException:
                (old / path.name).rename(path)
                raise
            with suppress(OSError, BundleError):  # a cache: where it cannot be taken along, it is built again
                _keep_engines(old / path.name, path)
    finally:
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
        lock.release()
