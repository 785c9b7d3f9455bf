"""Layers that stay in float because they are named, or for what they cost."""

import json

import pytest

from edge_arseg.compiler.quantize.calibrate.flow import PreparedBranch
from edge_arseg.compiler.quantize.options import QuantizeOptions
from edge_arseg.compiler.quantize.quantize import quantize_bundle
from edge_arseg.compiler.quantize.search import kept
from edge_arseg.compiler.quantize.search.kept import costliest_layers, layers_named, times_of_layers
from edge_arseg.compiler.quantize.search.sensitivity import LayerSensitivity
from edge_arseg.errors import OptionError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.manifest import Precision, Role

WEIGHTS = {
    Role.HR: {"n1": "encoder.1.weight", "n2": "decoder.1.weight"},
    Role.LR: {"n1": "encoder.1.weight"},
}
LAYERS = {
    Role.HR: [LayerSensitivity("n1", "encoder.1.weight", 40.0), LayerSensitivity("n2", "decoder.1.weight", 30.0)],
    Role.LR: [LayerSensitivity("n1", "encoder.1.weight", 40.0)],
}


def test_a_pattern_fits_layers_or_their_weights_in_both_branches_or_one():
    assert layers_named(["encoder.*"], WEIGHTS) == {Role.HR: {"n1"}, Role.LR: {"n1"}}
    assert layers_named(["hr:encoder.*", "n2"], WEIGHTS) == {Role.HR: {"n1", "n2"}, Role.LR: frozenset()}
    with pytest.raises(OptionError, match=r"'encodr.1.weight' fits no layer; did you mean .*encoder.1.weight"):
        layers_named(["encodr.1.weight"], WEIGHTS)
    with pytest.raises(OptionError, match="'lr:decoder"):
        layers_named(["lr:decoder.*"], WEIGHTS)


def test_a_pattern_that_fits_nothing_is_told_before_anything_runs(own_bundle, recipe_file, tmp_path):
    options = QuantizeOptions(recipe=str(recipe_file), threads=1, keep_float=("hr:nothing.*",))
    begun = []
    with pytest.raises(OptionError, match=r"--keep-float 'hr:nothing\.\*' fits no layer"):
        quantize_bundle(read_bundle(own_bundle), tmp_path / "kept.arseg", options, progress=begun.append)
    assert begun == []


def test_where_no_branch_becomes_int8_there_is_nothing_to_keep(own_bundle, tmp_path):
    half = {Role.HR: Precision.FP16, Role.LR: Precision.FP16}
    options = QuantizeOptions(precisions=half, threads=1, keep_float=("*",), keep_costliest=2)
    with pytest.raises(OptionError, match=r"--keep-float and --keep-costliest: no branch becomes int8.*--hr int8"):
        quantize_bundle(read_bundle(own_bundle), tmp_path / "kept.arseg", options)


def test_the_costliest_layer_is_the_one_with_most_error_for_its_time(monkeypatch):
    monkeypatch.setattr(kept, "times_of_layers", lambda *_, **__: {"n1": 0.05, "n2": 2.0})
    # 10 dB less is ten times the error power; n1 takes a fortieth of the time
    assert costliest_layers(None, LAYERS[Role.HR], None, threads=1) == ["n1", "n2"]
    monkeypatch.setattr(kept, "times_of_layers", lambda *_, **__: {"n1": 0.05, "n2": 0.2})
    assert costliest_layers(None, LAYERS[Role.HR], None, threads=1) == ["n2", "n1"]


def test_every_layer_has_a_time(calibration):
    branch = calibration.branches[Role.LR]
    assert isinstance(branch, PreparedBranch)
    times = times_of_layers(branch, calibration.samples[0], threads=1)
    assert set(branch.layers.weighted) <= set(times)
    assert all(ms > 0 for ms in times.values())


def test_layers_that_are_kept_are_float_in_the_bundle_and_named_in_its_record(own_bundle, recipe_file, tmp_path):
    options = QuantizeOptions(recipe=str(recipe_file), threads=1, keep_float=("lr:*",), keep_costliest=2)
    made = quantize_bundle(read_bundle(own_bundle), tmp_path / "kept.arseg", options)
    record = json.loads((made.bundle.path / "quantization/sensitivity.json").read_text())
    counts = {role: sum(layer["in_float"] for layer in layers) for role, layers in record["layers"].items()}
    assert counts == {"hr": 2, "lr": 13}
    assert made.bundle.manifest.graphs[Role.HR].precision.value == "mixed"
