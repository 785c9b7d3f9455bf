"""Bundles that are shipped with the package."""

from pathlib import Path

from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundles.reading import SUFFIX, Bundle, read_bundle

ZOO = Path(__file__).parents[1] / "zoo"


INT8 = "-int8"
"""End of a name of a bundle quantized for ONNX Runtime."""


def default_bundle(folder: Path | None = None) -> Path:
    """Return the shipped bundle that CPUs run fastest: the int8 one, else the first; what ``run`` takes is measured.

    Raises:
        BundleError: there is none.
    """
    paths = shipped_paths(folder)
    return next((path for path in paths if path.stem.endswith(INT8)), paths[0])


def inputs_of_bundle(named: Path | None) -> list[Path]:
    """Return the folders that a command may read its bundle from: what was named, or all in the package."""
    return [named] if named is not None else shipped_paths()


def shipped_paths(folder: Path | None = None) -> list[Path]:
    """Return the folders of the bundles in the package, by name.

    Args:
        folder: instead of ``ZOO``.

    Raises:
        BundleError: there is none.
    """
    paths = sorted((folder or ZOO).glob(f"*{SUFFIX}"))
    if not paths:
        raise BundleError("bundles in the package: none; name one with -b BUNDLE, or make one: edge-arseg export")
    return paths


def shipped_bundles(folder: Path | None = None) -> list[Bundle]:
    """Return the bundles in the package, by name.

    Args:
        folder: instead of ``ZOO``.

    Their files are compared by length only, not by digest: most of them will not be used.

    Raises:
        BundleError: there is none, or one is damaged.
    """
    return [read_bundle(path, digests=False) for path in shipped_paths(folder)]
