"""A disk that fills up in the middle of a command: one error, nothing that is half a result, an old one unharmed."""

import os
import re
import subprocess
from importlib.util import find_spec

import av
import numpy as np
import pytest
from support.bench.made import full_record, write_made
from support.bundles.fake import FAKE
from support.bundles.toy import moving_maps, write_image, write_label, write_toy_bundle

from edge_arseg.bench.record_files.reading import read_record
from edge_arseg.runtime.engines.opening import BACKENDS

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts small disks, which root may"),
    pytest.mark.filterwarnings("ignore:.*:UserWarning"),
]
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
STREET = "test://street?size=96x128&frames=60"
FEW = ("--steps", 4, "--batch", 2, "--score-every", 2, "--score-pairs", 4, "--workers", 0, "--precision", "float32")


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """Make a disk of so many KiB and go there."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def made(kib):
        command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("no disk can be mounted here")
        monkeypatch.chdir(folder)
        return folder

    yield made
    monkeypatch.undo()
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)


def pictures(path):
    """How many pictures a player shows; it fails where the file is damaged."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def told(answer):
    """The only error, which says where, what is free, and what to type next."""
    assert answer.code == 4, answer.err
    errors = [line for line in answer.err.splitlines() if "cannot write" in line]
    assert len(errors) == 1, answer.err
    assert "the disk is full (" in errors[0]
    assert " free" in errors[0]
    assert "write to another place" in errors[0]
    return errors[0]


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("sink", "kib", "shown"),
    [
        ("o.mp4", 40, range(20, 60)),
        ("o.mp4", 4, None),
        ("o.mkv", 40, range(20, 60)),
        ("o.webm", 40, range(10, 60)),
        ("o.gif", 60, range(5, 60)),
    ],
)
def test_an_overlay_video_stays_as_far_as_it_can_be_played_or_is_removed(run, disk, sink, kib, shown):
    folder = disk(kib)
    answer = run(STREET, sink, "--output-size", "96x128")
    assert f"cannot write {sink}: " in told(answer)
    assert "written to" not in answer.err
    assert names(folder) == ([sink] if shown else [])
    assert not shown or pictures(folder / sink) in shown


@pytest.mark.parametrize(("sink", "kib"), [("masks://m", 60), ("raw://x.raw", 52), ("jsonl://f.jsonl", 12)])
def test_class_ids_and_lines_end_with_a_whole_frame(run, disk, sink, kib):
    folder = disk(kib)
    told(run(STREET, sink))
    if sink == "masks://m":
        assert names(folder) == [f"m/{number:06}.png" for number in range(15)]
        assert {pictures(path) for path in (folder / "m").iterdir()} == {1}
    elif sink == "raw://x.raw":
        assert (folder / "x.raw").stat().st_size == 4 * 96 * 128
    else:
        text = (folder / "f.jsonl").read_text()
        assert text.endswith("}}\n")
        assert text.count("\n") > 20


def test_npz_is_there_whole_or_not_at_all(run, disk):
    folder = disk(8)
    np.savez(folder / "o.npz", class_maps=np.zeros(3))
    old = (folder / "o.npz").read_bytes()
    (folder / "filler").write_bytes(bytes(4096))
    told(run("test://street?size=180x240&frames=60", "o.npz", "--force"))
    assert (folder / "o.npz").read_bytes() == old
    assert names(folder) == ["filler", "o.npz"]


def test_hls_keeps_the_segments_that_are_whole(run, disk):
    folder = disk(60)
    told(run(STREET, "hls://h"))
    assert names(folder) == ["h/000000.ts", "h/live.m3u8"]
    assert (folder / "h/live.m3u8").read_text().splitlines()[-2:] == ["000000.ts", "#EXT-X-ENDLIST"]
    assert pictures(folder / "h/000000.ts") == 30


@needs_torch
@pytest.mark.parametrize("verb", ["convert", pytest.param("export", marks=pytest.mark.slow), "compile"])
def test_a_model_is_there_whole_or_not_at_all(request, edge_arseg, disk, verb):
    folder = disk(300 if verb != "convert" else 40)
    old = folder / "c.safetensors"
    old.write_bytes(b"old")
    if verb == "compile":
        arguments = [request.getfixturevalue("own_bundle"), "--target", "cpu", "-o", "c.arseg"]
    else:
        arguments = [*request.getfixturevalue("own_checkpoint")]
        sizes = ["--size", "90x122", "--gop", 5, "-o", "c.arseg"]
        arguments += sizes if verb == "export" else ["-o", old.name, "--force"]
    assert " needed)" in told(edge_arseg(verb, *arguments))
    assert names(folder) == ["c.safetensors"]
    assert old.read_bytes() == b"old"


@needs_torch
@pytest.mark.parametrize(
    ("kib", "left"),
    [
        (40, ["log.jsonl", "settings.json"]),
        (800, ["best.safetensors", "last.safetensors", "log.jsonl", "settings.json"]),
    ],
)
def test_a_run_of_training_says_how_it_continues_and_does(edge_arseg, disk, own_checkpoint, tmp_path, kib, left):
    from support.networks.small import OWN
    from support.training.pair_stores import patch_store

    store, folder = patch_store(tmp_path / "store"), disk(kib)
    arguments = ["train", "lr", own_checkpoint[0], "-o", "run", "--backbone", OWN, *FEW, "--pairs", store]
    assert told(edge_arseg(*arguments)).endswith("type the same with --resume to continue it")
    assert names(folder / "run") == left
    subprocess.run(["mount", "-o", "remount,size=9m", str(folder)], check=True)
    assert edge_arseg(*arguments, "--resume").code == 0


def test_a_demo_names_what_it_could_not_write_and_leaves_nothing(edge_arseg, disk, fake_bundle):
    folder = disk(8)
    answer = edge_arseg("demo", "-o", "demo", "-b", fake_bundle, *FAKE)
    assert answer.code == 4
    assert "error: cannot write demo/street.mp4: the disk is full (" in answer.err
    assert list(folder.iterdir()) == []


@needs_torch
def test_preparing_more_than_the_disk_holds_says_how_much_in_a_unit_that_fits(edge_arseg, disk, tmp_path):
    from support.training.files import write_camvid

    data = write_camvid(tmp_path / "data", ["s0", "s1"], rows=96, columns=128)
    disk(40)
    answer = edge_arseg("train", "prepare", data, "-o", "pairs")
    assert answer.code == 3
    assert re.search(r"take about [\d.]+ MB, \d+ bytes are free; choose a smaller --size", answer.err)


def test_a_disk_that_is_read_only_is_called_so(edge_arseg, disk, fake_bundle):
    folder = disk(40)
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    answer = edge_arseg("zoo", "copy", "camvid-compact")
    assert (answer.code, "(the file system is read-only); expected a folder with room" in answer.err) == (4, True)
    demo = edge_arseg("demo", "-b", fake_bundle, *FAKE)
    assert (demo.code, "the file system is read-only: write to another place with -o" in demo.err) == (4, True)


def test_bench_with_room_for_its_plan_alone_leaves_nothing(edge_arseg, disk, fake_bundle):
    folder = disk(4)
    told(edge_arseg("bench", STREET, "-b", fake_bundle, *FAKE, "-o", "r.json", "--frames", 60, "--mode", "ar"))
    assert names(folder) == []


def test_pages_of_a_report_that_are_there_stay(edge_arseg, disk, tmp_path):
    record, folder = write_made(tmp_path, *full_record()), disk(8)
    for name in ("p.md", "p.csv"):
        (folder / name).write_text("old")
    (folder / "p.md").write_text("old" * 1365)
    told(edge_arseg("report", record, "-o", "p.md", "-o", "p.csv", "--force"))
    assert names(folder) == ["p.csv", "p.md"]
    assert (folder / "p.md").read_text() == "old" * 1365


def test_tune_keeps_its_trials_and_the_same_command_continues(edge_arseg, disk, tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    monkeypatch.setitem(BACKENDS, "toy", "support.bundles.toy:ToyEngine")
    for index, class_map in enumerate(moving_maps(11)):
        write_image(tmp_path / "images" / f"{index:06d}.png", class_map)
        write_label(tmp_path / "labels" / f"{index:06d}.png", class_map)
    clip = f"images://{tmp_path}/images/%06d.png?rate=15"
    arguments = ["tune", write_toy_bundle(tmp_path / "toy.arseg"), "--labels", tmp_path / "labels", "--clip", clip]
    arguments += ["--fusion", "graph", "--frames", 24]
    for axis in ("backend=toy", "threads=1", "interval=1,2,8", "keyframes=fixed", "motion=zero"):
        arguments += ["--try", axis]
    folder = disk(40)
    answer = edge_arseg(*arguments, "-o", "tuned")
    assert told(answer).endswith("the trials before it are kept: make room, and type the same again")
    assert 0 < answer.err.count("of at most 3") < 3
    assert not (folder / "tuned/front.json").exists()
    subprocess.run(["mount", "-o", "remount,size=9m", str(folder)], check=True)
    answer = edge_arseg(*arguments, "-o", "tuned")
    assert answer.code == 0, answer.err
    assert read_record(folder / "tuned/front.json").state == "finished"
