"""Precisions that a bundle can be compiled to, and those that it cannot."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.compiling.builders import GOOD
from support.compiling.machines import BOARD, HOST, NANO

from edge_arseg.compiler.target.compile import compile_bundle, preview_compile
from edge_arseg.compiler.target.options import CompileOptions
from edge_arseg.errors import EnvironmentUnfitError, OptionError
from edge_arseg.spec.entries import QuantizationEntry
from edge_arseg.spec.manifest import Precision, Role


@pytest.mark.parametrize(
    ("target", "asked", "text"),
    [
        ("cpu", {Role.HR: Precision.FP16}, r"hr: fp16 does not run on CPU.*\(it has fp32, int8\); leave out --hr"),
        (
            NANO,
            {Role.LR: Precision.INT8},
            rf"lr: int8 needs ranges.*: edge-arseg quantize .*toy\.arseg --target {NANO} -o toy-int8-{NANO}\.arseg",
        ),
        ("cpu", {Role.LR: Precision.INT8}, r"edge-arseg quantize .* --target cpu -o "),
    ],
)
def test_a_precision_that_cannot_be_had_says_what_to_type(toy, target, asked, text):
    with pytest.raises(OptionError, match=text):
        compile_bundle(toy, target, CompileOptions(asked), machine=HOST)


def quantized(toy, activations, role=Role.HR):
    entry = toy.manifest.graphs[role]
    graphs = {**toy.manifest.graphs, role: replace(entry, precision=Precision.INT8)}
    record = QuantizationEntry(activations, "0" * 64, "street", "0" * 64, "a.json", "b.json")
    return replace(toy, manifest=replace(toy.manifest, graphs=graphs, quantization=record))


def test_quantized_graphs_stay_as_they_are(toy):
    found = preview_compile(quantized(toy, "int8"), NANO, CompileOptions(), machine=HOST)
    assert "graphs as they are" in found.steps[1].detail
    with pytest.raises(OptionError, match=r"hr: int8 in this bundle, fp16 asked for"):
        preview_compile(quantized(toy, "int8"), NANO, CompileOptions({Role.HR: Precision.FP16}), machine=HOST)


def test_integers_that_the_target_does_not_run_are_taken_off(toy):
    found = preview_compile(quantized(toy, "uint8"), NANO, CompileOptions(), machine=HOST)
    assert set(found.precisions.values()) == {Precision.FP16}
    assert "hr int8 to fp16" in found.steps[1].detail
    assert "; weights stay rounded to 8 bits)" in found.steps[1].detail
    asked = CompileOptions({Role.HR: Precision.INT8})
    with pytest.raises(OptionError, match=rf"hr: int8 needs ranges.*: edge-arseg quantize .* --target {NANO} -o "):
        preview_compile(quantized(toy, "uint8"), NANO, asked, machine=HOST)


def test_all_integers_or_none_are_taken_off_where_float_is_asked_for(toy):
    bundle = quantized(quantized(toy, "uint8"), "uint8", Role.LR)
    both = CompileOptions({Role.HR: Precision.FP32, Role.LR: Precision.FP32})
    assert set(preview_compile(bundle, "cpu", both, machine=HOST).precisions.values()) == {Precision.FP32}
    with pytest.raises(OptionError, match=r"hr: int8 .* fp32 asked for; for all in float type --hr fp32 --lr fp32"):
        preview_compile(bundle, "cpu", CompileOptions({Role.HR: Precision.FP32}), machine=HOST)
    assert "graphs as they are" in preview_compile(bundle, "cpu", CompileOptions(), machine=HOST).steps[1].detail


def test_the_result_without_integers_is_not_called_int8(toy):
    shutil.copytree(toy.path, toy.path.with_name("toy-int8.arseg"))
    bundle = replace(quantized(toy, "uint8"), path=toy.path.with_name("toy-int8.arseg"))
    found = preview_compile(bundle, NANO, CompileOptions(), machine=HOST)
    assert found.bundle == toy.path.with_name(f"toy-{NANO}.arseg")


def test_activations_of_the_other_engine_are_refused(toy):
    with pytest.raises(OptionError, match=r"edge-arseg quantize .* --target cpu -o "):
        preview_compile(quantized(toy, "int8"), "cpu", CompileOptions(), machine=HOST)


def test_the_float32_bundle_that_it_was_made_of_is_named_where_it_lies_beside(toy):
    bundle = quantized(toy, "int8")
    assert bundle.manifest.quantization is not None
    made_of = replace(bundle.manifest.quantization, source=toy.digest)
    bundle = replace(bundle, manifest=replace(bundle.manifest, quantization=made_of))
    with pytest.raises(OptionError, match=rf": edge-arseg quantize {toy.path} --target cpu -o "):
        preview_compile(bundle, "cpu", CompileOptions(), machine=HOST)


def test_a_board_without_the_host_half_says_where_to_convert(toy, monkeypatch):
    from edge_arseg.compiler.target import bundle as target_bundle

    monkeypatch.setattr(target_bundle, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentUnfitError, match=r"takes onnx, torch, not installed here: on the host type"):
        compile_bundle(toy, NANO, CompileOptions(builder=GOOD), machine=BOARD)
    assert not Path(f"{toy.path.parent}/toy-{NANO}.arseg").exists()
