"""export, convert, verify and inspect, as a user types them."""

import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from support.networks.small import OWN  # noqa: E402

from edge_arseg.runtime.bundles.reading import MANIFEST, read_bundle  # noqa: E402


@pytest.fixture
def bundle(own_bundle, tmp_path):
    """A copy of the bundle, to damage."""
    return shutil.copytree(own_bundle, tmp_path / "own.arseg")


def test_export_writes_a_bundle_that_verifies(edge_arseg, own_checkpoint, tmp_path):
    target = tmp_path / "made.arseg"
    answer = edge_arseg("export", *own_checkpoint, "--size", "64x88", "--lr-scale", 0.7, "-o", target, "--json")
    assert answer.code == 0, answer.err
    result = json.loads(answer.out)
    assert result["worst_agreement"] > 0.999
    manifest = read_bundle(target).manifest
    assert (manifest.lr_height, manifest.lr_width) == (44, 61)
    assert list(manifest.provenance.checkpoints) == ["own.safetensors"]
    assert edge_arseg("verify", target).code == 0
    assert [child.name for child in tmp_path.iterdir()] == ["made.arseg"]


def test_verify_prints_every_output_at_every_distance(edge_arseg, own_bundle):
    answer = edge_arseg("verify", own_bundle, "--json")
    assert answer.code == 0
    rows = json.loads(answer.out)["rows"]
    assert {(row["output"], row["distance"]) for row in rows} == {
        *((output, d) for output in ("hr", "lr") for d in (0, 1, 2, 4)),
        *((output, d) for output in ("ar", "head") for d in (1, 2, 4)),
    }


def test_verify_exits_with_1_where_the_graphs_answer_differently(edge_arseg, bundle):
    """A bundle whose files are all as written, but whose graphs are of other weights."""
    import onnx
    from onnx import numpy_helper

    path = bundle / "onnx/fuse.onnx"
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.name == "classifier_weight":
            tensor.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(tensor), tensor.name))
    onnx.save(model, path)
    sign_again(bundle, "onnx/fuse.onnx")
    answer = edge_arseg("verify", bundle)
    assert answer.code == 1
    assert "error: ar at distance" in answer.err
    assert edge_arseg("verify", bundle, "--min-agreement", 0).code == 0


@pytest.mark.parametrize("command", ["verify", "inspect"])
def test_a_damaged_bundle_exits_with_3(edge_arseg, bundle, command):
    (bundle / "onnx/hr.onnx").write_bytes(b"x" * 10)
    answer = edge_arseg(command, bundle)
    assert answer.code == 3
    assert "onnx/hr.onnx: 10 bytes seen" in answer.err
    assert answer.out == ""


def test_a_graph_that_contradicts_the_manifest_exits_with_3(edge_arseg, bundle):
    data = json.loads((bundle / MANIFEST).read_text())
    data["graphs"]["lr"]["outputs"]["lr_feature"]["shape"][1] = 99
    (bundle / MANIFEST).write_text(json.dumps(data))
    answer = edge_arseg("verify", bundle)
    assert answer.code == 3
    assert "the manifest says" in answer.err


def test_an_unloadable_graph_exits_with_5(edge_arseg, bundle):
    (bundle / "onnx/lr.onnx").write_bytes(b"not a graph")
    sign_again(bundle, "onnx/lr.onnx")
    answer = edge_arseg("verify", bundle)
    assert answer.code == 5
    assert "cannot load this graph" in answer.err


def test_inspect_shows_cost_and_origin(edge_arseg, own_bundle):
    answer = edge_arseg("inspect", own_bundle)
    assert answer.code == 0
    assert "11 classes" in answer.out
    assert "in a window of 7x7" in answer.out
    assert "test://street" in answer.out
    data = json.loads(edge_arseg("inspect", own_bundle, "--json").out)
    assert data["cost"]["hr_macs"] > data["cost"]["lr_macs"] > 0
    assert data["revision"] == 3


def test_export_refuses_to_replace_and_replaces_with_force(edge_arseg, own_checkpoint, bundle):
    before = read_bundle(bundle).digest
    answer = edge_arseg("export", *own_checkpoint, "--size", "64x88", "-o", bundle)
    assert answer.code == 2
    assert "--force" in answer.err
    assert read_bundle(bundle).digest == before
    short = ("--clip", "test://street?size=64x88&frames=3")
    forced = edge_arseg("export", *own_checkpoint, "--size", "64x88", "-o", bundle, "--force", *short)
    assert (forced.code, "note: the clip ends before distance 6 and 11" in forced.err) == (0, True)
    assert read_bundle(bundle).manifest.height == 64


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--size", "8x8"], 2, "try --size"),
        (["--size", "64x88", "--lr-scale", "0"], 2, "LR scale 0 seen"),
        (["--size", "64x88", "--lr-scale", "1.5"], 2, "LR scale 1.5 seen, expected more than 0, up to 1"),
        (["--size", "64x88", "--gop", "0"], 2, "--gop 12"),
        (["--size", "64x88", "--flow-block", "3"], 2, "expected one of (2, 4, 8)"),
        (["--size", "64x88", "--clip", "/nowhere.mp4"], 4, "/nowhere.mp4"),
        (["--size", "64x88", "-o", "/proc/nowhere/x.arseg"], 4, "cannot be written"),
        (["--size", "64x88", "-o", "x.onnx"], 2, "-o x.arseg"),
        (["--size", "64x88", "--backbone", "nope"], 2, "known: bise18, compact, lite0, lite1, psp18"),
        (["--size", "64x88", "--backbone", "psp18"], 3, "does not fit backbone"),
    ],
)
def test_export_says_what_is_wrong(edge_arseg, own_checkpoint, tmp_path, monkeypatch, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    answer = edge_arseg("export", *own_checkpoint, *arguments)
    assert answer.code == code, answer.err
    assert says in answer.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "name one checkpoint"),
        (["--hr", "a.pth"], 2, "name one checkpoint"),
        (["c", "--hr", "a.pth", "--ar", "b.pth"], 2, "name one checkpoint"),
        (["nothing.safetensors"], 3, "nothing there; expected a .safetensors file"),
        (["nothing"], 3, "nothing there"),
        (["--hr", "text.pth", "--ar", "text.pth"], 3, "not a PyTorch checkpoint"),
        (["--hr", "gone.pth", "--ar", "gone.pth"], 3, "gone.pth: nothing seen, expected a checkpoint file"),
        (["--hr", ".", "--ar", "."], 3, "a folder seen, expected a checkpoint file"),
        (["text.pth"], 3, "one file seen; the published models have two"),
        (["nothing", "--backbone", "psp18"], 2, "is for .safetensors files"),
    ],
)
@pytest.mark.parametrize("command", [["export", "-o", "x.arseg"], ["convert", "-o", "x.safetensors"]])
def test_a_wrong_checkpoint_is_said(edge_arseg, tmp_path, monkeypatch, command, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.pth").write_text("hello")
    answer = edge_arseg(*command, *arguments)
    assert answer.code == code, answer.err
    assert says in answer.err
    assert [child.name for child in tmp_path.iterdir()] == ["text.pth"]


def test_convert_keeps_the_network(edge_arseg, own_checkpoint, tmp_path):
    from edge_arseg.network.checkpoint.importer import network_from_checkpoint
    from edge_arseg.testing.networks import random_frame

    answer = edge_arseg("convert", *own_checkpoint, "-o", tmp_path / "again.safetensors")
    assert answer.code == 0, answer.err
    frame = random_frame(48, 64)
    with torch.inference_mode():
        first, again = (
            network_from_checkpoint(path, backbone=OWN).hr_logits(frame).numpy()
            for path in (own_checkpoint[0], tmp_path / "again.safetensors")
        )
    assert np.array_equal(first, again)


def sign_again(bundle, name):
    """Make the manifest agree with an edited file."""
    from edge_arseg.runtime.bundles.reading import sha256_of

    data = json.loads((bundle / MANIFEST).read_text())
    data["files"][name] = {"sha256": sha256_of(bundle / name), "bytes": (bundle / name).stat().st_size}
    (bundle / MANIFEST).write_text(json.dumps(data))


def test_convert_writes_the_lr_scale_that_a_file_lacks(edge_arseg, own_checkpoint, tmp_path):
    new = tmp_path / "again.safetensors"
    refused = edge_arseg("convert", *own_checkpoint, "--lr-scale", 7, "-o", new)
    assert (refused.code, "LR scale 7 seen, expected more than 0, up to 1" in refused.err) == (2, True)
    assert edge_arseg("convert", *own_checkpoint, "--lr-scale", 0.7, "-o", new).code == 0
    exported = edge_arseg("export", new, *own_checkpoint[1:], "--size", "64x88", "-o", tmp_path / "own.arseg")
    assert exported.code == 0, exported.err
    assert read_bundle(tmp_path / "own.arseg").manifest.lr_scale == 0.7
    other = edge_arseg("convert", new, *own_checkpoint[1:], "--lr-scale", 0.5, "-o", tmp_path / "other.safetensors")
    assert (other.code, "was trained at 0.7; leave it out" in other.err) == (2, True), other.err
    assert not (tmp_path / "other.safetensors").exists()
    assert (
        edge_arseg("convert", new, *own_checkpoint[1:], "--lr-scale", 0.7, "-o", new, "--force").code == 4
    )  # over itself


def test_convert_writes_over_nothing_that_it_reads(edge_arseg, own_checkpoint, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(own_checkpoint[0], run / "best.safetensors")
    answer = edge_arseg("convert", run, *own_checkpoint[1:], "-o", run / "best.safetensors", "--force")
    assert (answer.code, "which is read" in answer.err) == (4, True), answer.err
    answer = edge_arseg("convert", run, *own_checkpoint[1:], "-o", run / "again.safetensors")
    assert answer.code == 0, answer.err
