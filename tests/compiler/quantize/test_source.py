"""Bundles in int8 as what is quantized or compiled anew."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edge_arseg.compiler.quantize.source import check_source, float32_graphs
from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.manifest import Precision, Role

ORIN = "jetson-orin-nano-8gb"


@pytest.fixture(scope="module")
def for_tensorrt(int8_bundle, recipe_file, tmp_path_factory):
    """The int8 bundle for ONNX Runtime, quantized again for TensorRT; with what the command said."""
    from edge_arseg.compiler.quantize.options import QuantizeOptions
    from edge_arseg.compiler.quantize.quantize import quantize_bundle

    said = []
    options = QuantizeOptions(target=ORIN, recipe=str(recipe_file), threads=1)
    path = tmp_path_factory.mktemp("tensorrt") / "own-orin.arseg"
    return quantize_bundle(int8_bundle, path, options, progress=said.append).bundle, said


def integers(bundle, role):
    """The int8 weights of a graph by name."""
    graph = onnx.load(bundle.graph_path(role)).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    return {name: value for name, value in arrays.items() if value.dtype == np.int8 and value.ndim == 4}


def test_weights_keep_their_integers_when_they_are_quantized_for_another_target(int8_bundle, for_tensorrt):
    made, said = for_tensorrt
    before = read_bundle(int8_bundle)
    for role in (Role.HR, Role.LR):
        old, new = integers(before, role), integers(made, role)
        assert len(old) >= 10
        assert old.keys() == new.keys()
        assert all(np.array_equal(old[name], value) for name, value in new.items())
    assert said[0] == "taking the quantization off hr, lr: weights stay rounded to 7 bits"


def test_the_manifest_says_what_it_was_made_from(int8_bundle, for_tensorrt):
    made, _ = for_tensorrt
    entry = made.manifest.quantization
    assert (entry.activations, entry.source, entry.weight_bits) == ("int8", read_bundle(int8_bundle).digest, 7)
    assert made.manifest.graphs[Role.HR].precision is Precision.INT8
    assert made.manifest.graphs[Role.FUSE].precision is Precision.FP16
    assert made.manifest.golden.min_agreement == 0.98


def test_float16_around_the_integers_is_no_source(for_tensorrt):
    made, _ = for_tensorrt
    assert made.manifest.rounded_bits is None
    with pytest.raises(BundleError, match=r"hr int8, .* seen, expected float32 throughout, or int8 with uint8"):
        check_source(made)


def test_graphs_in_float32_have_the_borders_that_the_manifest_names(int8_bundle):
    bundle = read_bundle(int8_bundle)
    assert not bundle.manifest.is_float32
    for role, graph in float32_graphs(bundle).items():
        entry = bundle.manifest.graphs[role]
        assert [value.name for value in graph.graph.input] == list(entry.inputs)
        assert [value.name for value in graph.graph.output] == list(entry.outputs)


def test_a_compiled_bundle_in_float16_keeps_nothing_of_the_quantization(edge_arseg, int8_bundle, tmp_path):
    output = tmp_path / "own-orin.arseg"
    answer = edge_arseg("compile", int8_bundle, "--target", ORIN, "-o", output)
    assert answer.code == 0, answer.err
    told = "taking the quantization off hr, lr: weights stay rounded to 7 bits; for int8 type edge-arseg quantize "
    assert answer.err.count(told) == 1
    assert f"{int8_bundle} --target {ORIN} -o own-int8-{ORIN}.arseg" in answer.err
    made, before = read_bundle(output), read_bundle(int8_bundle)
    assert {entry.precision for entry in made.manifest.graphs.values()} == {Precision.FP16}
    assert made.manifest.quantization is None
    assert not (output / "quantization").exists()
    assert made.manifest.compiled_from == before.digest
    assert made.manifest.golden.min_agreement == before.manifest.golden.min_agreement == 0.98
    again = edge_arseg("compile", int8_bundle, "--target", ORIN, "-o", output)
    assert (again.code, "taking the quantization off" in again.err) == (0, False)


def test_a_revision_without_the_bits_of_its_weights_has_eight(int8_bundle):
    manifest = read_bundle(int8_bundle).manifest
    older = replace(manifest, quantization=replace(manifest.quantization, weight_bits=8))
    assert (manifest.rounded_bits, older.rounded_bits) == (7, 8)
    assert replace(manifest, quantization=None).rounded_bits is None
