"""What ``quantize`` makes for a target, and which of the user's options contradict it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.bundles.small import small_manifest, write_small_bundle

from edge_arseg.compiler.quantize.gate import Gate
from edge_arseg.compiler.quantize.options import QuantizeOptions, check_used, choice_from_options
from edge_arseg.compiler.quantize.quantize import check_source, quantize_bundle
from edge_arseg.compiler.quantize.search.budget import Judge, check_drop
from edge_arseg.compiler.target.compile import compile_bundle
from edge_arseg.compiler.target.options import CompileOptions
from edge_arseg.compiler.target.precision import precisions_from_target
from edge_arseg.errors import BundleError, GateError, OptionError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.mode import Mode
from edge_arseg.spec.entries import QuantizationEntry
from edge_arseg.spec.manifest import Precision, Role
from edge_arseg.spec.recipe import recipe_from_toml, recipe_path, recipe_text
from edge_arseg.spec.targets.files import target_named, targets

FP32, FP16, INT8 = Precision.FP32, Precision.FP16, Precision.INT8
NANO = "jetson-orin-nano-8gb"


def chosen(target, asked=None, activations=None, recipe=None):
    board = None if target is None else target_named(target)
    return choice_from_options(small_manifest(), board, asked or {}, activations, recipe, bundle="small.arseg")


@pytest.mark.parametrize(
    ("target", "fuse", "activations"), [(None, FP32, "uint8"), ("cpu", FP32, "uint8"), (NANO, FP16, "int8")]
)
def test_a_target_sets_activations_and_precisions(target, fuse, activations):
    found = chosen(target)
    assert found.precisions == {Role.HR: INT8, Role.LR: INT8, Role.FUSE: fuse}
    assert (found.activations, found.recipe) == (activations, "street")


def test_what_is_asked_for_comes_first():
    found = chosen(NANO, {Role.HR: FP16, Role.FUSE: FP32}, "int8", "own.toml")
    assert found.precisions == {Role.HR: FP16, Role.LR: INT8, Role.FUSE: FP32}
    assert (found.activations, found.recipe) == ("int8", "own.toml")


def test_the_recipe_is_the_target_s():
    board = target_named(NANO)
    board = replace(board, precision=replace(board.precision, recipe="camvid"))
    assert choice_from_options(small_manifest(), board, {}, None, None, bundle="x").recipe == "camvid"


@pytest.mark.parametrize(
    ("target", "asked", "activations", "words"),
    [
        (
            NANO,
            {},
            "uint8",
            r"--activations uint8: jetson-orin-nano-8gb wants int8; leave out --activations, or --target",
        ),
        ("cpu", {}, "int8", r"--activations int8: cpu wants uint8; leave out --activations"),
        ("cpu", {Role.LR: FP16}, None, r"--lr fp16: does not run on cpu \(it has fp32, int8\); leave out --lr"),
    ],
)
def test_a_contradiction_is_refused_with_what_to_type(target, asked, activations, words):
    with pytest.raises(OptionError, match=words):
        chosen(target, asked, activations)


def test_all_contradictions_are_in_one_message():
    with pytest.raises(OptionError, match=r"(?s)--hr fp16.*--lr fp16.*--activations int8"):
        chosen("cpu", {Role.HR: FP16, Role.LR: FP16}, "int8")


def test_a_target_without_int8_has_nothing_to_quantize():
    board = target_named(NANO)
    board = replace(board, precision=replace(board.precision, choices=(FP32, FP16)))
    with pytest.raises(OptionError, match=f"runs no int8 .* type edge-arseg compile x.arseg --target {NANO}"):
        choice_from_options(small_manifest(), board, {}, None, None, bundle="x.arseg")


@pytest.mark.parametrize(
    "target", [target for target in targets().values() if target.tier], ids=lambda target: target.id
)
def test_compile_takes_what_quantize_makes_for_every_target(target):
    """The two verbs agree: nothing that is made for a target is refused for it."""
    manifest = small_manifest()
    found = choice_from_options(manifest, target, {}, None, None, bundle="x")
    follower = FP16 if found.precisions[Role.FUSE] is FP16 else FP32
    made = {**found.precisions, Role.HEAD: follower, Role.LR_HEAD: follower}
    entry = QuantizationEntry(found.activations, "0" * 64, "street", "0" * 64, "a.json", "b.json")
    graphs = {role: replace(graph, precision=made[role]) for role, graph in manifest.graphs.items()}
    quantized = replace(manifest, graphs=graphs, quantization=entry)
    assert precisions_from_target(quantized, target, {}, bundle="x") == made


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"labels": Path("x")}, "either --clip or --images"),
        ({"labels": Path("x"), "clip": "a", "images": Path("b")}, "either --clip or --images"),
        ({"max_drop": 0.5}, "need --labels"),
        ({"limit": 3}, "need --labels"),
    ],
)
def test_options_that_contradict_each_other_are_refused_from_python_too(options, words):
    with pytest.raises(OptionError, match=words):
        QuantizeOptions(**options)


def test_a_bundle_that_is_compiled_is_not_quantized(tmp_path):
    bundle = read_bundle(write_small_bundle(tmp_path / "small.arseg", target="cuda"))
    with pytest.raises(BundleError, match=r"compiled for cuda; start from .* --target cuda"):
        check_source(bundle)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_drop": float("nan"), "labels": Path("x"), "clip": "a"}, "--max-drop nan: expected points"),
        ({"max_drop": -1.0, "labels": Path("x"), "clip": "a"}, "--max-drop -1: expected points"),
        ({"limit": 0, "labels": Path("x"), "clip": "a"}, "--limit 0: expected a whole number of 1 or more"),
        ({"threads": -1}, "-1 threads seen, expected 1 to "),
        ({"limit": 2.5, "labels": Path("x"), "clip": "a"}, "--limit 2.5: expected a whole number"),
        ({"gate": 0.97}, r"a gate 0\.97 seen, expected a Gate"),
        ({"threads": 100_000}, "100000 threads seen, expected 1 to "),
        ({"keep_costliest": -1}, "--keep-costliest -1: expected a whole number, 0 or more"),
    ],
)
def test_numbers_out_of_range_are_refused_from_python_too(options, words):
    with pytest.raises(OptionError, match=words):
        QuantizeOptions(**options)


@pytest.mark.parametrize("share", [float("nan"), -0.1, 1.5])
def test_a_gate_is_a_share(share):
    with pytest.raises(OptionError, match="expected a share of the pixels from 0 to 1"):
        Gate(share, "because")


def test_a_graph_that_follows_fuse_is_called_that():
    with pytest.raises(OptionError, match="--head fp16: head follows fuse; leave out --head"):
        chosen(None, {Role.HEAD: FP16})


HALF = {"hr": "fp16", "lr": "fp16"}


def test_names_from_python_are_what_they_name():
    """A precision that is only equal to the one of that name had been taken for float32."""
    options = QuantizeOptions(precisions=HALF, data="x", labels="y", images="z", keep_float="hr:decoder.*")
    assert list(options.precisions.items()) == [(Role.HR, Precision.FP16), (Role.LR, Precision.FP16)]
    assert all(isinstance(precision, Precision) for precision in options.precisions.values())
    assert (options.data, options.labels, options.images) == (Path("x"), Path("y"), Path("z"))
    assert options.keep_float == ("hr:decoder.*",)  # no pattern for each letter, of which * fits every layer
    compiled = CompileOptions(precisions=HALF, roles="lr_head")
    assert (compiled.roles, compiled.precisions[Role.LR] is Precision.FP16) == ((Role.LR_HEAD,), True)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: QuantizeOptions(precisions={"hr": "int4"}), "precision 'int4' seen, expected one of fp32, fp16, int8"),
        (lambda: QuantizeOptions(precisions={"hd": "int8"}), "role 'hd' seen, expected one of hr, lr"),
        (lambda: QuantizeOptions(precisions="int8"), "expected one by role"),
        (lambda: CompileOptions(roles=("nose",)), "role 'nose' seen"),
        (lambda: CompileOptions(workspace_bytes=-1), "-1 bytes of scratch memory seen"),
        (lambda: CompileOptions(workspace_bytes=True), "True bytes of scratch memory seen"),
        (lambda: CompileOptions(optimization_level=9), "9 as a level seen, expected a whole number from 0 to 5"),
        (lambda: quantize_bundle(3, "x.arseg"), "a bundle 3 seen, expected a path"),
        (lambda: compile_bundle(None, "cpu", CompileOptions()), "a bundle None seen, expected a path"),
    ],
)
def test_what_is_none_of_the_names_is_refused(make, words):
    with pytest.raises(OptionError, match=words):
        make()


def test_a_recipe_may_be_named_by_its_path(tmp_path):
    options = QuantizeOptions(recipe=tmp_path / "mine.toml")
    assert options.recipe == str(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (QuantizeOptions(target=""), "no target is called ''"),
        (QuantizeOptions(recipe=""), "no recipe is called ''"),
        (QuantizeOptions(activations=""), "activations '' seen"),
    ],
)
def test_what_a_variable_that_is_not_set_leaves_is_no_default(tmp_path, options, words):
    """``--target "$BOARD"`` was the machine that it was typed on, and the result ran on no board."""
    with pytest.raises(OptionError, match=words):
        quantize_bundle(write_small_bundle(tmp_path / "a.arseg"), tmp_path / "b.arseg", options)
    with pytest.raises(OptionError, match="no target is called ''"):
        compile_bundle(tmp_path / "a.arseg", "", CompileOptions())


def test_a_bundle_may_be_named_by_its_path(tmp_path):
    with pytest.raises(BundleError, match="no bundle is called 'nothing'"):
        quantize_bundle("nothing", tmp_path / "x.arseg")
    path = write_small_bundle(tmp_path / "small.arseg", target="cuda")
    with pytest.raises(BundleError, match="compiled for cuda"):
        quantize_bundle(str(path), tmp_path / "x.arseg")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"recipe": "street"}, "--recipe street: no graph becomes int8, so it is not used; leave it out"),
        ({"activations": "int8", "data": "x"}, "--data x and --activations int8: .* they are not used; leave them out"),
    ],
)
def test_options_of_int8_without_int8_are_refused(options, words):
    recipe = recipe_from_toml(recipe_text(recipe_path("street")))
    half = {Role.HR: Precision.FP16, Role.LR: Precision.FP32, Role.FUSE: Precision.FP16}
    with pytest.raises(OptionError, match=words):
        check_used(QuantizeOptions(**options), half, recipe)
    check_used(QuantizeOptions(), half, recipe)
    with pytest.raises(
        OptionError, match=r"--data x: recipe street has no \{data\} in it.*type the --recipe that is meant"
    ):
        check_used(QuantizeOptions(data="x"), {Role.HR: Precision.INT8}, recipe)


def test_a_branch_in_float16_has_to_hold_the_budget_too():
    def scores(hr, ar):
        return SimpleNamespace(modes={"hr": SimpleNamespace(miou=hr), "ar": SimpleNamespace(miou=ar)})

    judge = Judge(lambda *_: None, (Mode.AR, Mode.HR), {Role.HR: Mode.HR, Role.LR: Mode.AR})
    check_drop(judge, scores(70.0, 68.0), scores(69.5, 67.5), 0.5)
    check_drop(judge, scores(70.0, 68.0), scores(60.0, 60.0), None)
    with pytest.raises(GateError, match=r"lr: mIoU is 0\.60 points below float32, 0\.5 allowed.*--lr fp32"):
        check_drop(judge, scores(70.0, 68.0), scores(69.5, 67.4), 0.5)
    only_hr = replace(judge, modes=(Mode.HR,))
    check_drop(only_hr, scores(70.0, 68.0), scores(69.5, 0.0), 0.5)
