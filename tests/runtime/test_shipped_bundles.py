"""Every bundle in the package on every engine that is installed, on whatever CPU this runs."""

from importlib.util import find_spec

import pytest

from edge_arseg.runtime.engine_choice import choice_from_options
from edge_arseg.runtime.engine_options import EngineOptions
from edge_arseg.runtime.pipeline import Mode
from edge_arseg.runtime.trial import attempt_of
from edge_arseg.runtime.verification import required_agreement
from edge_arseg.runtime.zoo import ZOO, shipped_bundles


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("name", sorted(path.stem for path in ZOO.glob("*.arseg")))
def test_a_bundle_of_the_package_gives_the_right_classes(name, backend):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    (bundle,) = [bundle for bundle in shipped_bundles() if bundle.path.stem == name]
    required = required_agreement(bundle.manifest)
    for mode in (Mode.AR, Mode.LR):
        trial = attempt_of(bundle, mode, EngineOptions(backend=backend), required=required)
        assert trial.passes(required), trial


def test_the_default_is_one_that_passes():
    choice = choice_from_options(None, [Mode.AR], EngineOptions())
    assert choice.agreement >= required_agreement(choice.bundle.manifest)
