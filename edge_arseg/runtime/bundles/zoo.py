"""Bundles that are shipped with the package, and their names.

A shipped bundle is named by its folder's name without ``.arseg``, and by that without the size of its frames where only
one has it: ``camvid-compact-int8`` is ``camvid-compact-360x480-int8.arseg``. A path wins over a name where both exist.
"""

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from os import PathLike, fspath, sep
from pathlib import Path

from edge_arseg.arguments import path_from
from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundles.reading import MANIFEST, SUFFIX, Bundle, read_bundle, sha256_of
from edge_arseg.suggestion import did_you_mean

ZOO = Path(__file__).parents[2] / "zoo"

INT8 = "-int8"
"""End of a name of a bundle quantized for ONNX Runtime."""

_SIZE = re.compile(r"-\d+x\d+(?=-|$)")


def default_bundle() -> Path:
    """Return the shipped bundle that CPUs run fastest: the int8 one, else the first; what ``run`` takes is measured.

    Raises:
        BundleError: there is none.
    """
    paths = shipped_paths()
    return next((path for path in paths if path.stem.endswith(INT8)), paths[0])


def inputs_of_bundle(named: str | PathLike[str] | None) -> list[Path]:
    """Return the folders that a command may read its bundle from: what was named, or all in the package."""
    return [bundle_path(named)] if named is not None else shipped_paths()


def bundle_path(named: str | PathLike[str]) -> Path:
    """Return the folder of a bundle that is named by a path, or by the name of a shipped one.

    Args:
        named: a path, which wins where both exist, or a name.

    Raises:
        BundleError: what was typed is no path to anything and no name that is known.
        OptionError: it is neither a path nor text.
    """
    path = path_from("a bundle", named)
    text = fspath(named)
    if os.path.exists(path) or path.suffix == SUFFIX or sep in text:  # noqa: PTH110 - never raises
        return path
    names = shipped_names()
    if text in names:
        return names[text]
    folders = [near.name for near in Path().glob(f"*{SUFFIX}")]
    known = [*{found: name for name, found in names.items()}.values()]
    meant = did_you_mean(text, [*known, *folders]) or did_you_mean(text, names)
    raise BundleError(
        f"no bundle is called {text!r}, and there is no such folder; {meant}{' ' if meant else ''}"
        f"expected NAME{SUFFIX}, or a bundle in the package: {', '.join(known) or 'there is none'}"
    )


def bundle_given(bundle: Bundle | str | PathLike[str]) -> Bundle:
    """Return a bundle; one that is named by its folder, or by its name in the package, is read and checked.

    Raises:
        OptionError: it is neither.
        BundleError: there is none, or it is damaged.
    """
    return bundle if isinstance(bundle, Bundle) else read_bundle(bundle_path(bundle))


def shipped_names(folder: Path | None = None) -> dict[str, Path]:
    """Return the names of the bundles in the package with their folders; the short name of each is its last.

    Empty where there is none.
    """
    paths = _in_folder(folder)
    short = [_SIZE.sub("", path.stem, count=1) for path in paths]
    names = {path.stem: path for path in paths}
    return names | {name: path for name, path in zip(short, paths, strict=True) if short.count(name) == 1}


def shipped_name(path: Path) -> str:
    """Return the short name of a bundle in the package, given its folder."""
    return [name for name, found in shipped_names(path.parent).items() if found == path][-1]


def typed_name(path: Path) -> str:
    """Return what a user types for a bundle: the short name of one in the package, the path of another."""
    names = {found.resolve(): name for name, found in shipped_names().items()}
    return names.get(path.resolve(), str(path))


def bundle_of_digest(digest: str, folders: Iterable[Path]) -> Path | None:
    """Return the folder of the bundle of a digest (``Bundle.digest``) among those in some folders, or ``None``.

    What cannot be read is not the one.
    """
    for file in (file for folder in folders for file in sorted(folder.glob(f"*{SUFFIX}/{MANIFEST}"))):
        with suppress(OSError):
            if sha256_of(file) == digest:
                return file.parent
    return None


def shipped_paths(folder: Path | None = None) -> list[Path]:
    """Return the folders of the bundles in the package, by name.

    Args:
        folder: instead of ``ZOO``.

    Raises:
        BundleError: there is none.
    """
    paths = _in_folder(folder)
    if not paths:
        raise BundleError("bundles in the package: none; name one with -b BUNDLE, or make one: edge-arseg export")
    return paths


def shipped_bundles(folder: Path | None = None) -> list[Bundle]:
    """Return the bundles in the package, by name.

    Their files are compared by length only, not by digest: most of them will not be used.

    Args:
        folder: instead of ``ZOO``.

    Raises:
        BundleError: there is none, or one is damaged.
    """
    return [read_bundle(path, digests=False) for path in shipped_paths(folder)]


def _in_folder(folder: Path | None) -> list[Path]:
    return sorted((ZOO if folder is None else folder).glob(f"*{SUFFIX}"))


def lightest_bundles(bundles: Sequence[Bundle]) -> list[Bundle]:
    """Return the bundles of the model whose frames cost least on average, in their order.

    The others are for who names them: more accurate, and never the fastest.

    Args:
        bundles: at least one.
    """
    cheapest = min(bundles, key=lambda bundle: bundle.manifest.cost.mean_macs(bundle.manifest.gop))
    return [bundle for bundle in bundles if bundle.manifest.model.name == cheapest.manifest.model.name]
