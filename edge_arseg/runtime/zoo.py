"""Bundles that are shipped with the package."""

from pathlib import Path

from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundle import SUFFIX

ZOO = Path(__file__).parents[1] / "zoo"


INT8 = "-int8"
"""End of a name of a bundle quantized for ONNX Runtime."""


def default_bundle(folder: Path = ZOO) -> Path:
    """Return the bundle that is used where none is named: the only int8 one, which a CPU runs fastest, or the only one.

    Raises:
        BundleError: there is none, or more than one.
    """
    bundles = sorted(folder.glob(f"*{SUFFIX}"))
    chosen = [bundle for bundle in bundles if bundle.stem.endswith(INT8)] or bundles
    if len(chosen) != 1:
        names = ", ".join(bundle.name for bundle in bundles) or "none"
        raise BundleError(f"bundles in the package: {names}; name one with -b BUNDLE, or make one: edge-arseg export")
    return chosen[0]
