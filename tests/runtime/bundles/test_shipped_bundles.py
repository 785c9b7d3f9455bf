"""Every shipped bundle, through every engine that is installed here, on whatever CPU this is."""

import pytest

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.runtime.bundles.gate import required_agreement
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.bundles.zoo import ZOO
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.runtime.verification import VERIFIED_ROLES, agreements


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino", "openvino-bf16"])
@pytest.mark.parametrize("path", sorted(ZOO.glob("*.arseg")), ids=lambda path: path.stem)
def test_a_shipped_bundle_gives_its_golden_class_maps_here(path, backend):
    bundle = read_bundle(path)
    try:
        with engines_from_bundle(bundle, VERIFIED_ROLES, backend=backend, threads=2) as engines:
            rows = agreements(engines, bundle.golden_frames())
    except EnvironmentUnfitError as error:
        pytest.skip(str(error))
    worst = min(rows, key=lambda row: row.agreement)
    assert worst.agreement >= required_agreement(bundle.manifest), worst
    assert len(rows) == 4 + 4 + 3 + 3


@pytest.mark.parametrize("path", sorted(ZOO.glob("*.arseg")), ids=lambda path: path.stem)
def test_the_gate_of_a_shipped_bundle_is_absolute(path):
    manifest = read_bundle(path, digests=False).manifest
    assert manifest.golden.because is None
    assert required_agreement(manifest) == (0.98 if manifest.quantization else 0.99)
