"""Bundles that are shipped with the package."""

from pathlib import Path

from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundle import SUFFIX

ZOO = Path(__file__).parents[1] / "zoo"


def default_bundle(folder: Path = ZOO) -> Path:
    """Return the bundle that is used where none is named.

    Raises:
        BundleError: there is none, or more than one.
    """
    bundles = sorted(folder.glob(f"*{SUFFIX}"))
    if len(bundles) != 1:
        names = ", ".join(bundle.name for bundle in bundles) or "none"
        raise BundleError(f"bundles in the package: {names}; name one with -b BUNDLE, or make one: edge-arseg export")
    return bundles[0]
