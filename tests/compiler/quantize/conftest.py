"""A small bundle calibrated and quantized once."""

import pytest
import torch

torch.set_num_threads(1)

RECIPE = """
name = "tiny"
method = "minmax"
[[clips]]
source = "test://street?size=90x122&frames=10"
frames = 10
keyframes = 1
per_distance = 1
"""


@pytest.fixture(scope="session")
def recipe():
    from edge_arseg.spec.recipe import recipe_from_toml

    return recipe_from_toml(RECIPE)


@pytest.fixture(scope="session")
def recipe_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="session")
def calibration(own_bundle, recipe):
    """Ranges of all three graphs of ``own_bundle``."""
    from edge_arseg.compiler.quantize.calibrate.flow import prepared_branches, ranges_from_clips
    from edge_arseg.runtime.bundles.reading import read_bundle

    bundle = read_bundle(own_bundle)
    return ranges_from_clips(bundle, recipe, prepared_branches(bundle), threads=1)


@pytest.fixture(scope="session")
def int8_bundle(own_bundle, recipe_file, tmp_path_factory):
    """``own_bundle`` with both branches in int8 for ONNX Runtime, by the command line."""
    from edge_arseg.cli.main import exit_code

    path = tmp_path_factory.mktemp("int8") / "own-int8.arseg"
    arguments = ["quantize", own_bundle, "-o", path, "--recipe", recipe_file, "--threads", "1", "--json"]
    assert exit_code([str(argument) for argument in arguments]) == 0
    return path
