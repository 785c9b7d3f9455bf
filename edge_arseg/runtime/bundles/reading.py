"""Reading a bundle, and refusing one that is not what it was written as."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TypeVar

from edge_arseg.arguments import path_from
from edge_arseg.errors import BundleError
from edge_arseg.quantity import counted
from edge_arseg.spec.entries import FileEntry
from edge_arseg.spec.manifest import Manifest, Role, manifest_from_json
from edge_arseg.spec.weights import ArrayRecord, DecoderWeights, FusionWeights, GoldenFrames, arrays_from_bytes

MANIFEST = "manifest.json"
SUFFIX = ".arseg"
_DENIED = os.strerror(errno.EACCES)

T = TypeVar("T", bound=ArrayRecord)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle on disk.

    Attributes:
        path: its folder.
        manifest: what it says of itself.
        digest: SHA-256 of the manifest, which holds the digests of all files: it names this very bundle.
    """

    path: Path
    manifest: Manifest
    digest: str

    @property
    def folder(self) -> Path:
        """Its folder with its own name, also where ``path`` is ``.``; a link stays a link."""
        return Path(os.path.abspath(self.path))  # noqa: PTH100 - a link stays a link

    @property
    def stem(self) -> str:
        """What its folder is called, without the ending; another name than the manifest's where it was renamed."""
        return self.folder.name.removesuffix(SUFFIX)

    def size(self, *, graphs: float = 1.0) -> int:
        """Return the bytes of its files, but for the manifest; those of the graphs are multiplied by ``graphs``."""
        entries, of_graphs = self.manifest.files, {entry.file for entry in self.manifest.graphs.values()}
        return int(sum(entry.bytes * (graphs if name in of_graphs else 1.0) for name, entry in entries.items()))

    def graph_path(self, role: Role) -> Path:
        """Return the ONNX file of a role."""
        return self.path / self.manifest.graphs[role].file

    def content(self, name: str) -> bytes:
        """Return the content of a file, by its path inside the bundle.

        Raises:
            BundleError: it cannot be read.
        """
        path = self.path / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise BundleError(
                f"{path}: cannot be read ({error.strerror or error}); check the disk, and that you may read there"
            ) from error

    def contents(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the content of several files by name; see ``content``."""
        return {name: self.content(name) for name in names}

    def golden_frames(self) -> GoldenFrames:
        """Read the golden frames.

        Raises:
            BundleError: the file cannot be read.
        """
        golden = self._arrays(GoldenFrames, self.manifest.golden.file)
        size = (self.manifest.height, self.manifest.width)
        if golden.frames.shape[1:3] != size:
            raise BundleError(
                f"{self.path / self.manifest.golden.file}: frames of {golden.frames.shape[1:3]} rows and columns seen, "
                f"{size} expected; export the bundle again"
            )
        return golden

    def fusion_weights(self) -> FusionWeights:
        """Read CReFF's weights.

        Raises:
            BundleError: the file cannot be read or is for another window, or the bundle has the HR branch alone.
        """
        if self.manifest.fusion_weights is None:
            raise BundleError(f"{self.path}: has the HR branch alone, no fusion; run it in mode hr")
        weights = self._arrays(FusionWeights, self.manifest.fusion_weights)
        if weights.window != self.manifest.model.window:
            raise BundleError(
                f"{self.path / self.manifest.fusion_weights}: weights for a window of {weights.window} seen, one of "
                f"{self.manifest.model.window} expected; export the bundle again"
            )
        return weights

    def decoder_weights(self) -> DecoderWeights:
        """Read the classifier's weights.

        Raises:
            BundleError: the file cannot be read.
        """
        return self._arrays(DecoderWeights, self.manifest.decoder.file)

    def check_weights(self) -> None:
        """Read the weights that a kernel takes in place of a graph.

        Raises:
            BundleError: they cannot be read, or are not for the bundle's classes or window.
        """
        if not self.manifest.hr_only:
            self.fusion_weights()
        decoder, classes = self.decoder_weights(), len(self.manifest.model.classes)
        if len(decoder.bias) != classes:
            raise BundleError(
                f"{self.path / self.manifest.decoder.file}: weights for {len(decoder.bias)} classes seen, the manifest "
                f"has {classes}; export the bundle again"
            )

    def _arrays(self, kind: type[T], name: str) -> T:
        return arrays_from_bytes(kind, self.content(name), where=str(self.path / name))


def read_bundle(path: Path | str, *, digests: bool = True) -> Bundle:
    """Read a bundle and check it.

    Args:
        path: the folder ``NAME.arseg``.
        digests: compare every file with its digest; without, only its length.

    Raises:
        BundleError: no bundle, an unknown revision, a wrong manifest, a path that leaves the bundle, or missing,
            damaged or edited files: all of them in one message.
        OptionError: ``path`` is no path.
    """
    path = path_from("a bundle at", path)
    text = _manifest_text(path)
    manifest = manifest_from_json(text, where=str(path / MANIFEST))
    faults = [fault for name, entry in manifest.files.items() if (fault := _fault(path, name, entry, digests))]
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        advice = "Copy the bundle again, or export it again with `edge-arseg export`"
        if any(_DENIED in fault for fault in faults):
            advice = f"Check that you may read there: chmod -R u+rX {quote(str(path))}. {advice}"
        raise BundleError(
            f"{path}: {len(faults)} of {counted(len(manifest.files), 'file')} "
            f"{'is' if len(faults) == 1 else 'are'} not as written\n{lines}\n{advice}"
        )
    return Bundle(path, manifest, hashlib.sha256(text).hexdigest())


def read_manifest(path: Path) -> Manifest:
    """Read the manifest of a bundle alone; what it says of files is not compared with them.

    Raises:
        BundleError: no bundle, an unknown revision, or a wrong manifest.
    """
    return manifest_from_json(_manifest_text(path), where=str(path / MANIFEST))


def _manifest_text(path: Path) -> bytes:
    file = path / MANIFEST
    try:
        if not os.path.isfile(file):  # noqa: PTH113 - never raises
            raise BundleError(_no_bundle(path))
        return file.read_bytes()
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read ({error.strerror or error}); check the path, and that you may read there"
        ) from error


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _fault(bundle: Path, name: str, entry: FileEntry, digests: bool) -> str | None:
    """Say what is wrong with one file, or ``None``."""
    file = bundle / name
    if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(bundle)):
        return f"{name}: a link that leads out of the bundle"
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            return f"{name}: no file, as a folder or pipe is none"
        if found.st_size != entry.bytes:
            return f"{name}: {found.st_size} bytes seen, {entry.bytes} expected"
        if digests and (seen := sha256_of(file)) != entry.sha256:
            return f"{name}: SHA-256 {seen[:16]}... seen, {entry.sha256[:16]}... expected"
    except FileNotFoundError:
        return f"{name}: missing"
    except OSError as error:
        return f"{name}: cannot be read ({error.strerror or error})"
    return None


def _no_bundle(path: Path) -> str:
    """Say what is there instead.

    Raises:
        OSError: it cannot be looked at.
    """
    if path.is_dir():
        inside = ", ".join(sorted(child.name for child in path.iterdir())[:5]) or "nothing"
        return f"{path}: no {MANIFEST} inside (seen: {inside}); expected a bundle made by `edge-arseg export`"
    if path.exists():
        return f"{path}: a file seen, expected a bundle folder like NAME{SUFFIX}"
    near = sorted(path.parent.glob(f"*{SUFFIX}")) if path.parent.is_dir() else []
    hint = f"; bundles there: {', '.join(child.name for child in near[:5])}" if near else ""
    if path.suffix != SUFFIX and path.name == str(path):
        return f"{path}: no such folder{hint}. If it is in the package, `edge-arseg zoo path {path}` prints its folder"
    return f"{path}: no such bundle{hint}. Make one with `edge-arseg export`, or name one of `edge-arseg zoo list`"
