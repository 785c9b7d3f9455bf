"""Trainings that start from a model in the package, as their user types them."""

import json

import pytest

pytest.importorskip("torch")

from support.training.files import write_camvid
from support.training.pair_stores import patch_store

from edge_arseg.network.checkpoint.safetensors_file import network_from_safetensors
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.bundles.zoo import bundle_path

INT8 = "camvid-compact-int8"
FEW = ("--score-every", 1, "--workers", 0, "--rate", 1e-8, "--precision", "float32")


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_the_hr_branch_of_the_shipped_model_knows_the_street_from_the_first_step(edge_arseg, tmp_path):
    data = write_camvid(tmp_path / "data", [f"s{number}" for number in range(10)], rows=180, columns=240)
    few = ("--steps", 1, "--batch", 1, *FEW, "--crop", "96x128", "--street", 2)
    answer = edge_arseg("train", "hr", data, "-o", tmp_path / "shipped", *few, "--from", INT8)
    assert answer.code == 0, answer.err
    import torch

    golden = read_bundle(bundle_path(INT8)).golden_frames()
    network = network_from_safetensors(tmp_path / "shipped" / "best.safetensors")
    with torch.inference_mode():
        seen = network.hr_logits(torch.from_numpy(golden.frames[0]))[0].argmax(0).numpy()
    assert float((seen == golden.hr_maps[0]).mean()) > 0.8  # the step moved statistics by a tenth, to small pictures
    settings = json.loads((tmp_path / "shipped" / "settings.json").read_text())
    assert settings["start"] == "camvid-compact-360x480-int8.arseg"
    assert settings["backbone"] == "compact"
    from_lite1 = ("train", "hr", data, *few, "--from", "camvid-lite1-int8")
    unnamed = edge_arseg(*from_lite1, "-o", tmp_path / "lite1")
    assert (unnamed.code, "camvid-lite1, HR branch" in unnamed.out) == (0, True), unnamed.err
    longer = edge_arseg("train", "hr", "--resume", tmp_path / "lite1", "--steps", 2)
    assert (longer.code, "step 2 of 2" in longer.err) == (0, True), longer.err
    other = edge_arseg(*from_lite1, "-o", tmp_path / "other", "--backbone", "compact")
    assert other.code == 3
    assert "backbone lite1 seen, compact expected; type --backbone lite1" in other.err
    assert not (tmp_path / "other").exists()


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_the_lr_branch_of_the_shipped_model_continues_and_is_resumed_from_another_folder(
    edge_arseg, tmp_path, monkeypatch
):
    store, run = patch_store(tmp_path / "store"), tmp_path / "run"
    few = ("--steps", 1, "--batch", 2, *FEW, "--score-pairs", 2, "--start", "all")
    answer = edge_arseg("train", "lr", INT8, "-o", run, "--pairs", store, *few)
    assert answer.code == 0, answer.err
    assert "camvid-compact, LR branch" in answer.out
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    longer = edge_arseg("train", "lr", "--resume", run, "--steps", 2)
    assert (longer.code, "step 2 of 2" in longer.err) == (0, True), longer.err


@pytest.mark.parametrize("command", [("export",), ("convert", "-o", "x.safetensors")])
def test_a_bundle_in_place_of_a_checkpoint_says_what_takes_it(edge_arseg, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = edge_arseg(command[0], INT8, *command[1:])
    assert answer.code == 3
    assert f"{INT8}: a bundle seen, expected a checkpoint" in answer.err
    assert f"edge-arseg train hr --from {INT8}, or train lr {INT8} --start all" in answer.err
