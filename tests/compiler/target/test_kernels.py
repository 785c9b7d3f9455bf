"""Kernels that travel in a compiled bundle, and how one gets into a bundle that lacks it."""

import pytest
from support.compiling.builders import GOOD
from support.compiling.machines import BOARD, ENGINES, HOST, NANO, OPTIONS, states

from edge_arseg.compiler.target.compile import compile_bundle, preview_compile
from edge_arseg.compiler.target.options import CompileOptions
from edge_arseg.compiler.target.steps import StepState
from edge_arseg.errors import BuildError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.kernels.cuda.image import kernel_for_gpu, source_digest
from edge_arseg.spec.manifest import Role


def test_kernels_travel_along(toy, kernel_compiler):
    asked = kernel_compiler()
    found = compile_bundle(toy, NANO, OPTIONS, machine=HOST)
    assert asked == [87]
    assert states(found)["kernels"] is StepState.MADE
    assert (found.bundle / "kernels/fusion_sm87.cubin").read_bytes() == b"cubin 87"
    made = read_bundle(found.bundle)
    assert [kernel.sm for kernel in made.manifest.kernels] == [87]
    for options in (CompileOptions(builder=GOOD), CompileOptions(builder=GOOD, force=True)):
        again = compile_bundle(made, NANO, options, machine=HOST)
        assert states(again)["kernels"] is StepState.DONE
    assert asked == [87]


def test_force_lets_the_board_compile_the_kernel_with_a_compiler_that_its_driver_takes(toy, kernel_compiler):
    kernel_compiler()
    first = read_bundle(compile_bundle(toy, NANO, OPTIONS, machine=HOST).bundle)
    kernel_compiler(compiler="nvcc 12.6")
    assert states(compile_bundle(first, None, CompileOptions(builder=GOOD), machine=BOARD))["kernels"] is StepState.DONE
    compile_bundle(first, None, CompileOptions(builder=GOOD, force=True), machine=BOARD)
    assert [kernel.compiler for kernel in read_bundle(first.path).manifest.kernels] == ["nvcc 12.6"]


@pytest.mark.parametrize(
    ("options", "made"),
    [
        (CompileOptions(builder=GOOD, force=True, engines=False), set()),
        (CompileOptions(builder=GOOD, force=True, roles=(Role.LR,)), {"engine lr"}),
    ],
    ids=["none", "one"],
)
def test_engines_that_are_not_asked_for_stay_where_the_kernel_is_renewed(toy, kernel_compiler, log, options, made):
    """Building them takes a board minutes each, and their graphs are the same."""
    first = read_bundle(compile_bundle(toy, NANO, OPTIONS, machine=BOARD).bundle)
    kernel_compiler()
    found = compile_bundle(first, None, options, machine=BOARD)
    assert {name for name, state in states(found).items() if state is StepState.MADE} - {"kernels", "bundle"} == made
    assert len(log()) == len(Role) + len(made)
    assert read_bundle(found.bundle).digest != first.digest
    after = preview_compile(found.bundle, None, CompileOptions(builder=GOOD), machine=BOARD)
    assert {states(after)[name] for name in ENGINES} == {StepState.DONE}


@pytest.mark.parametrize("outdated", [False, True], ids=["without", "of another version"])
def test_force_puts_a_kernel_into_a_bundle_that_was_compiled_without(toy, kernel_compiler, outdated):
    """On a board with a compiler, for a bundle of a host that had none, or had another version of the kernel."""
    if outdated:
        kernel_compiler("0" * 64)
    first = read_bundle(compile_bundle(toy, NANO, OPTIONS, machine=HOST).bundle)
    asked = kernel_compiler()
    asked.clear()
    advice = f"type: edge-arseg compile {first.path} --target {NANO} --force --no-engines"
    with pytest.raises(BuildError, match=advice):
        kernel_for_gpu(first, (8, 7))

    left = compile_bundle(first, None, CompileOptions(builder=GOOD), machine=BOARD)
    assert (states(left)["kernels"], asked) == (StepState.NONE, [])
    assert "--force" in left.steps[0].detail
    dry = preview_compile(first, None, CompileOptions(builder=GOOD, force=True), machine=BOARD)
    assert states(dry)["kernels"] is StepState.TODO

    found = compile_bundle(first, None, CompileOptions(builder=GOOD, force=True), machine=BOARD)
    assert states(found) == dict.fromkeys(["kernels", "bundle", *ENGINES], StepState.MADE)
    made = read_bundle(found.bundle)
    assert made.path == first.path
    assert kernel_for_gpu(made, (8, 7)).source == source_digest()
    assert (made.manifest.compiled_from, made.manifest.graphs) == (toy.digest, first.manifest.graphs)
    assert states(compile_bundle(toy, NANO, OPTIONS, machine=HOST))["bundle"] is StepState.DONE
