"""A model whose HR branch alone was trained: refused as a whole; HR-only bundles, treated as such by every verb."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from support.bundles.toy import write_image, write_label  # noqa: E402
from support.networks.small import OWN, own_network  # noqa: E402

from edge_arseg.network.checkpoint.safetensors_file import safetensors_from_network  # noqa: E402
from edge_arseg.runtime.bundles.reading import MANIFEST, read_bundle  # noqa: E402
from edge_arseg.spec.frame import Branch  # noqa: E402
from edge_arseg.spec.manifest import Role  # noqa: E402

SIZE = ("--size", "90x122", "--gop", 5)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """The folder of a run of ``train hr``, as far as ``export`` looks at it."""
    folder = tmp_path_factory.mktemp("runs") / "hr"
    folder.mkdir()
    network = own_network()
    network.trained = (Branch.HR,)
    safetensors_from_network(network, folder / "best.safetensors")
    (folder / "settings.json").write_text('{"steps": 4}')
    return folder


@pytest.fixture(scope="module")
def bundle(run_folder, tmp_path_factory):
    from edge_arseg.cli.main import exit_code

    path = tmp_path_factory.mktemp("hr_only") / "own-hr.arseg"
    arguments = ["export", run_folder, "--backbone", OWN, *SIZE, "--hr-only", "-o", path]
    assert exit_code([str(argument) for argument in arguments]) == 0
    return path


def test_an_untrained_lr_branch_is_not_exported_unasked(edge_arseg, run_folder, tmp_path):
    answer = edge_arseg("export", run_folder, "--backbone", OWN, *SIZE, "-o", tmp_path / "noise.arseg")
    assert answer.code == 3
    assert "only the HR branch of this checkpoint was trained" in answer.err
    assert "edge-arseg train lr" in answer.err
    assert "--hr-only" in answer.err
    assert not list(tmp_path.iterdir())


def test_the_bundle_holds_the_hr_branch_alone(bundle):
    manifest = read_bundle(bundle).manifest
    assert (manifest.revision, manifest.branches, manifest.hr_only) == (3, (Branch.HR,), True)
    assert set(manifest.graphs) == {Role.HR}
    assert manifest.fusion_weights is None
    assert sorted(manifest.files) == ["decoder/weights.npz", "golden/gop.npz", "onnx/hr.onnx"]


def test_verify_checks_what_is_there(edge_arseg, bundle):
    answer = edge_arseg("verify", bundle, "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert {(row["output"], row["distance"]) for row in found["rows"]} == {("hr", d) for d in (0, 1, 2, 4)}
    assert "HR branch alone" in found["fusion_kernel"]["not_run"]


@pytest.mark.parametrize("backend", ["onnxruntime", "auto"])
def test_run_takes_every_frame_through_the_hr_branch(edge_arseg, bundle, backend):
    answer = edge_arseg(
        "run", "test://street?size=90x122", "jsonl://-", "-b", bundle, "--limit", 7, "--backend", backend
    )
    assert answer.code == 0, answer.err
    assert [json.loads(line)["branch"] for line in answer.out.splitlines() if '"branch"' in line] == ["hr"] * 7
    assert "own-hr: hr, " in answer.err


@pytest.mark.parametrize("mode", ["ar", "lr"])
@pytest.mark.parametrize(
    "command",
    [
        ("run", "test://street", "null://"),
        ("bench", "test://street", "--frames", 5),
        ("eval", "--clip", "test://street", "--labels", "."),
    ],
    ids=lambda command: command[0],
)
def test_modes_that_need_the_lr_branch_are_refused(edge_arseg, bundle, command, mode, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0.png").touch()  # a label, for eval looks for them first
    answer = edge_arseg(*command, "-b", bundle, "--mode", mode)
    assert answer.code == 2
    assert f"has the HR branch alone, mode {mode} needs the LR branch too; type --mode hr" in answer.err


def test_bench_times_the_hr_branch_and_compares_with_nothing(edge_arseg, bundle):
    answer = edge_arseg("bench", "test://street?size=90x122", "-b", bundle, "--frames", 5)
    assert answer.code == 0, answer.err
    assert "**the bundle has the HR branch alone, so there is no AR to compare with**" in answer.out
    assert "| own-hr, hr | hr | 5 |" in answer.out
    assert ", ar |" not in answer.out


def test_eval_scores_the_hr_branch(edge_arseg, bundle, tmp_path):
    for name in ("a", "b"):
        write_image(tmp_path / "images" / f"{name}.png", np.full((90, 122), 3, np.uint8))
        write_label(tmp_path / "labels" / f"{name}.png", np.full((90, 122), 3, np.uint8))
    answer = edge_arseg(
        "eval", "-b", bundle, "--images", tmp_path / "images", "--labels", tmp_path / "labels", "--json"
    )
    assert answer.code == 0, answer.err
    assert list(json.loads(answer.out)["modes"]) == ["hr"]


def test_inspect_says_so(edge_arseg, bundle):
    answer = edge_arseg("inspect", bundle)
    assert answer.code == 0
    assert "HR alone" in answer.out
    assert "between" not in answer.out


def test_quantize_and_compile_keep_it_so(edge_arseg, bundle, tmp_path):
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        'name = "tiny"\nmethod = "minmax"\n[[clips]]\nsource = "test://street?size=90x122&frames=6"\n'
        "frames = 6\nkeyframes = 1\n"
    )
    made = tmp_path / "own-hr-int8.arseg"
    answer = edge_arseg("quantize", bundle, "-o", made, "--recipe", recipe, "--threads", 1, "--target", "cpu")
    assert answer.code == 0, answer.err
    compiled = edge_arseg("compile", made, "--target", "cpu", "-o", tmp_path / "cpu.arseg")
    assert compiled.code == 0, compiled.err
    manifest = read_bundle(tmp_path / "cpu.arseg").manifest
    assert manifest.hr_only
    assert {role: entry.precision.value for role, entry in manifest.graphs.items()} == {Role.HR: "int8"}
    assert edge_arseg("verify", tmp_path / "cpu.arseg").code == 0
    assert "recipe tiny" in edge_arseg("inspect", tmp_path / "cpu.arseg").out
    assert "next: edge-arseg compile" in answer.out
    half = edge_arseg("compile", bundle, "--target", "jetson-orin-nano-8gb", "-o", tmp_path / "nano.arseg")
    assert half.code == 0, half.err
    assert read_bundle(tmp_path / "nano.arseg").manifest.graphs[Role.HR].precision.value == "fp16"
    for command in (("quantize", bundle, "-o", tmp_path / "x.arseg"), ("compile", bundle, "--target", "cpu")):
        refused = edge_arseg(*command, "--lr", "fp32")
        assert refused.code == 2
        assert "the bundle has the HR branch alone; leave out --lr" in refused.err
    only = edge_arseg("compile", bundle, "--target", "cpu", "--graph", "lr")
    assert only.code == 2
    assert "--graph lr: the bundle has no such graph (it has hr)" in only.err


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"branches": ["hr", "lr"]}, "no graph with the role 'lr'"),
        ({"branches": ["lr"]}, "branches: lr seen, expected hr and lr, or hr alone"),
        ({"branches": []}, "branches: none seen"),
        ({"fusion_weights": "decoder/weights.npz"}, "fusion_weights: null means the HR branch alone"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(bundle, tmp_path, changes, fault):
    from edge_arseg.errors import BundleError
    from edge_arseg.spec.manifest import manifest_from_json

    with pytest.raises(BundleError, match=fault):
        manifest_from_json(json.dumps({**json.loads((bundle / MANIFEST).read_text()), **changes}))


def test_a_run_without_weights_says_how_to_get_them(edge_arseg, tmp_path):
    (tmp_path / "settings.json").write_text("{}")
    answer = edge_arseg("export", tmp_path, "-o", tmp_path / "x.arseg")
    assert answer.code == 3
    assert "a training run without best.safetensors" in answer.err
    assert "--resume" in answer.err


def test_the_folder_of_a_run_brings_its_lr_scale(edge_arseg, own_checkpoint, tmp_path):
    run = tmp_path / "lr"
    run.mkdir()
    (run / "best.safetensors").write_bytes(own_checkpoint[0].read_bytes())
    (run / "settings.json").write_text('{"lr_scale": 0.7}')
    answer = edge_arseg("export", run, "--backbone", OWN, "--size", "64x88", "-o", tmp_path / "own.arseg", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["branches"] == ["hr", "lr"]
    manifest = read_bundle(tmp_path / "own.arseg").manifest
    assert (manifest.lr_scale, manifest.lr_height, manifest.lr_width) == (0.7, 44, 61)
    assert list(manifest.provenance.checkpoints) == ["best.safetensors"]
    named = run / "best.safetensors"
    answer = edge_arseg("export", named, "--backbone", OWN, "--size", "64x88", "-o", tmp_path / "file.arseg")
    assert (answer.code, read_bundle(tmp_path / "file.arseg").manifest.lr_scale) == (0, 0.7)
