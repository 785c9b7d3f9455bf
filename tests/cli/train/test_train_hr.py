"""``train hr`` as its user meets it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file
from support.children import Child
from support.networks.small import OWN

from edge_arseg.spec.model import CAMVID_11
from edge_arseg.street import scenes_from_street
from edge_arseg.video.sinks.class_ids.png import palette_from_classes, png_from_indices


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Twelve rendered stills in CamVid's folders."""
    av = pytest.importorskip("av")
    folder = tmp_path_factory.mktemp("data")
    for name in ("images", "labels"):
        (folder / "train" / name).mkdir(parents=True)
    palette = palette_from_classes(CAMVID_11)
    for scene in scenes_from_street(size=(60, 80), count=12, rate=1.0, seed=5):
        stem = f"drive_{scene.index:03}"
        (folder / "train/labels" / f"{stem}.png").write_bytes(png_from_indices(scene.labels, palette))
        with av.open(str(folder / "train/images" / f"{stem}.png"), "w", format="image2") as out:
            stream = out.add_stream("png", rate=1, width=80, height=60, pix_fmt="rgb24")
            for packet in [*stream.encode(av.VideoFrame.from_ndarray(scene.rgb, format="rgb24")), *stream.encode(None)]:
                out.mux(packet)
    return folder


def arguments(dataset, run, *more):
    sizes = ("--steps", 4, "--batch", 2, "--crop", "48x64", "--score-every", 2, "--street", 4, "--workers", 0)
    return "train", "hr", dataset, "-o", run, "--backbone", OWN, *sizes, *more


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_a_run_leaves_weights_log_and_curves(edge_arseg, dataset, tmp_path):
    answer = edge_arseg(*arguments(dataset, tmp_path / "run"))
    assert answer.code == 0, answer.err
    assert "mIoU held back" in answer.out
    assert "step 4 of 4" in answer.err
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"settings.json", "log.jsonl", "state.pt", "best.safetensors", "last.safetensors", "curves.png"}
    lines = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert all(0 <= line["miou"] <= 100 and np.isfinite(line["loss"]) for line in lines)
    again = edge_arseg(*arguments(dataset, tmp_path / "run"))
    assert again.code == 2
    assert "--resume" in again.err
    other = edge_arseg(*arguments(dataset, tmp_path / "run", "--resume", "--seed", 2))
    assert other.code == 2
    assert "seed: 1 then, 2 now" in other.err
    assert edge_arseg(*arguments(dataset, tmp_path / "run", "--resume")).code == 0
    longer = edge_arseg("train", "hr", "--resume", tmp_path / "run", "--steps", 6)
    assert longer.code == 0, longer.err
    assert "step 6 of 6" in longer.err
    lines = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 6]
    shorter = edge_arseg("train", "hr", "--resume", tmp_path / "run", "--steps", 3)
    assert (shorter.code, "steps: 6 then, 3 now" in shorter.err) == (2, True)
    again = edge_arseg("train", "hr", "--resume", tmp_path / "run")  # as long as it is by now
    assert again.code == 0, again.err


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_a_run_continues_with_the_images_that_it_began_with(edge_arseg, dataset, tmp_path):
    run, other = tmp_path / "run", tmp_path / "other"
    assert edge_arseg(*arguments(dataset, run)).code == 0
    shutil.copytree(dataset, other)
    moved = edge_arseg(*arguments(other, run, "--resume"))
    assert moved.code == 0, moved.err
    (other / "train/labels/drive_003.png").write_bytes((other / "train/labels/drive_009.png").read_bytes())
    kept = (run / "state.pt").read_bytes()
    answer = edge_arseg("train", "hr", other, "--resume", run, "--steps", 6)
    assert (answer.code, "started with other settings" in answer.err, "data_sha256" in answer.err) == (2, True, True)
    assert (run / "state.pt").read_bytes() == kept


def best_is_last(run):
    best, last = load_file(run / "best.safetensors"), load_file(run / "last.safetensors")
    assert best.keys() == last.keys()
    assert all(torch.equal(value, last[name]) for name, value in best.items())


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_a_last_run_may_train_on_what_is_held_back_too(edge_arseg, dataset, tmp_path):
    run = tmp_path / "run"
    answer = edge_arseg(*arguments(dataset, run, "--all-images"))
    assert answer.code == 0, answer.err
    assert "none, all images are trained on" in answer.out
    assert "mIoU" not in answer.err  # of images that it learnt from, a score says nothing
    settings = json.loads((run / "settings.json").read_text())
    assert (settings["images"], settings["all_images"]) == (12, True)
    best_is_last(run)
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], "miou" in line, "best" in line) for line in lines] == [(2, False, False), (4, False, False)]
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")
    longer = edge_arseg("train", "hr", "--resume", run, "--steps", 6)
    assert longer.code == 0, longer.err
    best_is_last(run)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("workers", [0, 1])
def test_a_run_that_a_signal_ended_goes_on(edge_arseg, dataset, tmp_path, workers):
    run = tmp_path / "run"
    typed = arguments(dataset, run, "--steps", 100, "--workers", workers)
    command = [sys.executable, "-m", "edge_arseg", *typed]
    own = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with Child(command, stderr=subprocess.PIPE, text=True, env=own) as process:
        while not (run / "state.pt").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        error = process.communicate(timeout=60)[1]
    assert (process.returncode, error.rstrip().endswith("interrupted by SIGTERM")) == (143, True), error
    assert "Traceback" not in error
    assert not [path for path in run.iterdir() if path.name.startswith(".")]
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] < 100
    answer = edge_arseg("train", "hr", "--resume", run)
    assert answer.code == 0, answer.err
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(2, 101, 2))


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("-o", "run"), "Missing argument 'DATASET'"),
        (("data",), "type --resume RUN"),
        (("--resume",), "--resume needs the folder of a run"),
        (("--resume", "nothing"), "nothing: no run to continue (No such file"),
        (("--resume", "one", "-o", "two"), "name two folders"),
    ],
)
def test_what_lacks_to_start_or_to_go_on_is_told(edge_arseg, typed, told):
    answer = edge_arseg("train", "hr", *typed)
    assert (answer.code, told in answer.err) == (2, True), answer.err


def test_wrong_things_are_refused_before_the_first_step(edge_arseg, dataset, tmp_path):
    for more, code, words in (
        (("--crop", "47x64"), 2, "even sides"),
        (("--crop", "99998x99998"), 2, "32 to 16384"),
        (("--class-balance", "50"), 2, "from 0 to 4"),
        (("--device", "cpu:7"), 2, "expected cpu, cuda"),
        (("--steps", 10**30), 2, "from 1 to 1000000000"),
        (("--batch", 10**12), 2, "from 1 to 4096"),
        (("--street", 10**12), 6, "GB of memory"),
        (("--batch", 4096, "--crop", "16384x16384"), 6, "less --street, --batch or --crop"),
        (("--device", "tpu9"), 2, "expected cpu, cuda"),
        (("--device", "cuda:7"), 3, "--device cpu"),
        (("--layout", "cityscapes"), 3, "leftImg8bit"),
        (("--backbone", "nothing"), 2, "no backbone is called"),
    ):
        answer = edge_arseg(*arguments(dataset, tmp_path / "run", *more))
        assert (answer.code, words in answer.err) == (code, True), answer.err
        assert not (tmp_path / "run").exists(), more
