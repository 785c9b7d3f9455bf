"""Bundles that are shipped with the package."""

from pathlib import Path

from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundle import SUFFIX, Bundle, read_bundle

ZOO = Path(__file__).parents[1] / "zoo"


def shipped_bundles(folder: Path | None = None) -> list[Bundle]:
    """Return the bundles in the package, by name.

    Args:
        folder: instead of ``ZOO``.

    Their files are compared by length only, not by digest: most of them will not be used.

    Raises:
        BundleError: there is none, or one is damaged.
    """
    paths = sorted((folder or ZOO).glob(f"*{SUFFIX}"))
    if not paths:
        raise BundleError("bundles in the package: none; name one with -b BUNDLE, or make one: edge-arseg export")
    return [read_bundle(path, digests=False) for path in paths]
