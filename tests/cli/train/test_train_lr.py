"""``train lr`` as its user meets it."""

import json
import shutil

import pytest

pytest.importorskip("torch")

from support.networks.small import OWN
from support.training.pair_stores import patch_store

from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.spec.model import CAMVID_12


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return patch_store(tmp_path_factory.mktemp("pairs") / "store")


def arguments(checkpoint, run, *more):
    few = ("--steps", 4, "--batch", 2, "--score-every", 2, "--score-pairs", 4, "--workers", 0)
    return "train", "lr", checkpoint, "-o", run, "--backbone", OWN, *few, *more


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_a_run_leaves_a_model_that_exports(edge_arseg, own_checkpoint, store, tmp_path):
    run = tmp_path / "run"
    answer = edge_arseg(*arguments(own_checkpoint[0], run, "--pairs", store))
    assert answer.code == 0, answer.err
    assert "mIoU held back, best" in answer.out
    assert "step 4 of 4" in answer.err
    names = {path.name for path in run.iterdir()}
    assert names == {"settings.json", "log.jsonl", "state.pt", "best.safetensors", "last.safetensors", "curves.png"}
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert set(lines[0]["miou_by_distance"]) == {"1", "3"}
    other = edge_arseg(*arguments(own_checkpoint[0], run, "--pairs", store, "--resume", "--fst", "kl"))
    assert other.code == 2
    assert "supervision: full then, kl now" in other.err
    began = edge_arseg("train", "lr", "--resume", run, "--start", "all", "--score-pairs", 3)
    assert (began.code, "begun_from: hr then, all now\n  scored_pairs: 4 then, 3 now" in began.err) == (2, True), (
        began.err
    )
    assert edge_arseg(*arguments(own_checkpoint[0], run, "--pairs", store, "--resume")).code == 0
    longer = edge_arseg("train", "lr", "--resume", run, "--steps", 6)
    assert (longer.code, "step 6 of 6" in longer.err) == (0, True), longer.err
    second = edge_arseg(*arguments(run, tmp_path / "second", "--unlabelled", store, "--start", "all"))
    assert second.code == 0, second.err
    exported = edge_arseg(
        "export", run / "best.safetensors", "--backbone", OWN, "--size", "90x122", "-o", tmp_path / "own.arseg"
    )
    assert exported.code == 0, exported.err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_weights_bring_their_lr_scale_wherever_they_are_copied(edge_arseg, own_checkpoint, store, tmp_path):
    trained = edge_arseg(*arguments(own_checkpoint[0], tmp_path / "run", "--pairs", store, "--lr-scale", 0.75))
    assert trained.code == 0, trained.err
    copied = tmp_path / "copied.safetensors"
    shutil.copy(tmp_path / "run/best.safetensors", copied)
    converted = edge_arseg("convert", copied, "--backbone", OWN, "-o", tmp_path / "again.safetensors")
    assert converted.code == 0, converted.err
    typed = ("--backbone", OWN, "--size", "90x122")
    exported = edge_arseg("export", tmp_path / "again.safetensors", *typed, "-o", tmp_path / "own.arseg")
    assert exported.code == 0, exported.err
    assert read_bundle(tmp_path / "own.arseg").manifest.lr_scale == 0.75
    assert "note: the LR" not in exported.err
    other = edge_arseg("export", copied, *typed, "--lr-scale", 0.5, "-o", tmp_path / "other.arseg")
    assert (other.code, read_bundle(tmp_path / "other.arseg").manifest.lr_scale) == (0, 0.5)
    assert "note: the LR branch was trained at LR scale 0.75, --lr-scale 0.5 seen" in other.err
    more = edge_arseg(*arguments(copied, tmp_path / "more", "--pairs", store, "--start", "all"))
    assert (more.code, "was trained at LR scale 0.75, and continues at 0.5" in more.err) == (0, True), more.err


def test_wrong_things_are_refused_before_the_first_step(edge_arseg, own_checkpoint, store, tmp_path):
    others = patch_store(tmp_path / "others", classes=CAMVID_12)
    large = patch_store(tmp_path / "large", size=(72, 96), clips=1, held_back=1)
    for more, code, words in (
        ((), 2, "--pairs STORE"),
        (("--pairs", tmp_path), 3, "no pair store"),
        (("--pairs", others), 3, "expected"),
        (("--pairs", others, "--unlabelled", large), 3, "72x96 seen"),
        (("--pairs", store, "--lr-scale", 0.05), 2, "try --size"),
        (("--pairs", store, "--share", 1.5), 2, "share"),
        (("--pairs", store, "--sharpness", "1e30"), 2, "from 0 to 100"),
        (("--pairs", store, "--locality", "1e39"), 2, "from 0 to 1000"),
        (("--pairs", store, "--share", 0.5), 2, "cannot be scaled"),
        (("--pairs", store, "--device", "tpu9"), 2, "expected cpu, cuda"),
    ):
        answer = edge_arseg(*arguments(own_checkpoint[0], tmp_path / "run", *more))
        assert (answer.code, words in answer.err) == (code, True), (more, answer.err)
        assert not list(tmp_path.glob("run/state.pt"))


@pytest.mark.parametrize(
    ("typed", "command", "told"),
    [({"dataset": "x"}, "lr", "a run of `train hr`; type"), ({"model": "x"}, "hr", "a run of `train lr`; type")],
)
def test_a_run_of_the_other_command_is_called_that(edge_arseg, tmp_path, typed, command, told):
    (tmp_path / "settings.json").write_text(json.dumps({"typed": typed}))
    answer = edge_arseg("train", command, "--resume", tmp_path)
    assert (answer.code, told in answer.err) == (2, True), answer.err


def test_a_folder_is_no_model(edge_arseg, store, tmp_path):
    answer = edge_arseg("train", "lr", tmp_path, "-o", tmp_path / "run", "--pairs", store)
    assert (answer.code, "a folder without best.safetensors seen" in answer.err) == (3, True), answer.err
