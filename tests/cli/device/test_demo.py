import json
import shutil
import subprocess
from pathlib import Path

import av
import pytest
from support.bundles.toy import GOP, HEIGHT, WIDTH, write_toy_bundle

from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.video.sources.street_clip import write_street

ROOT = Path(__file__).parents[3]


@pytest.fixture
def demo(edge_arseg, tmp_path, monkeypatch):
    """Run the demo with the toy, in ``tmp_path``."""
    monkeypatch.setitem(BACKENDS, "toy", "support.bundles.toy:ToyEngine")
    monkeypatch.chdir(tmp_path)
    write_toy_bundle(tmp_path / "toy.arseg")
    return lambda *arguments: edge_arseg("demo", "-b", "toy.arseg", "--backend", "toy", "--fusion", "graph", *arguments)


def frames_in(path):
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_without_an_input_it_drives_down_a_street(demo, tmp_path):
    answer = demo("--json", "--limit", 10)
    assert answer.code == 0, answer.err
    told = json.loads(answer.out)
    assert told == json.loads((tmp_path / "demo/summary.json").read_text())
    assert told["files"] == {
        "overlay": "demo/overlay.mp4",
        "frames": "demo/frames.jsonl",
        "summary": "demo/summary.json",
    }
    assert frames_in(tmp_path / "demo/overlay.mp4") == 10
    assert len((tmp_path / "demo/frames.jsonl").read_text().splitlines()) == 10
    assert (told["frames"], told["keyframes"]) == (10, 3)
    assert set(told["latency_ms"]) == {"hr", "lr"}
    assert sum(told["classes"].values()) == pytest.approx(1)
    assert told["digest"] == read_bundle("toy.arseg").digest
    with av.open(str(tmp_path / "demo/street.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.height, stream.width, stream.frames) == (HEIGHT, WIDTH, 96)
    assert told["motion"].startswith("codec")


def test_any_input_goes_to_any_folder(demo, tmp_path):
    write_street("my clip.mp4", size=(HEIGHT, WIDTH), count=2 * GOP + 1, gop=GOP)
    answer = demo("my clip.mp4", "-o", "some where/new")
    assert answer.code == 0, answer.err
    for said in ("9, 3 of them keyframes", "some where/new/overlay.mp4", "some where/new/frames.jsonl", "fps"):
        assert said in answer.out
    assert answer.out.splitlines()[-1].endswith("edge-arseg bench 'my clip.mp4'")
    assert frames_in("some where/new/overlay.mp4") == 9
    assert not Path("some where/new/street.mp4").exists()


def test_it_replaces_what_a_demo_wrote_and_nothing_else(demo, tmp_path):
    write_street("clip.mp4", size=(HEIGHT, WIDTH), count=6, gop=GOP)
    assert demo("clip.mp4").code == 0
    assert demo("clip.mp4", "--limit", 5).code == 0
    assert frames_in("demo/overlay.mp4") == 5
    assert json.loads(Path("demo/summary.json").read_text())["frames"] == 5
    Path("demo/summary.json").unlink()  # as an interrupted one leaves it
    assert demo("clip.mp4", "--limit", 4).code == 0
    Path("mine").mkdir()
    for name in ("overlay.mp4", "frames.jsonl", "summary.json", "street.mp4"):
        Path("mine", name).write_text("mine")
        answer = demo("-o", "mine") if name == "street.mp4" else demo("clip.mp4", "-o", "mine")
        assert (answer.code, f"{name}: it exists already; type --force" in answer.err) == (4, True)
        assert [path.read_text() for path in Path("mine").iterdir()] == ["mine"]
        Path("mine", name).unlink()
    Path("mine/overlay.mp4").write_text("mine")
    assert demo("clip.mp4", "-o", "mine", "--limit", 3, "--force").code == 0
    assert frames_in("mine/overlay.mp4") == 3


def test_its_input_is_not_overwritten_by_it(demo):
    Path("demo").mkdir()
    write_street("demo/overlay.mp4", size=(HEIGHT, WIDTH), count=5, gop=GOP)
    before = Path("demo/overlay.mp4").read_bytes()
    for more in ((), ("--force",)):
        answer = demo("demo/../demo/overlay.mp4", *more)
        assert (answer.code, "it is the source" in answer.err) == (4, True)
    assert Path("demo/overlay.mp4").read_bytes() == before
    assert [path.name for path in Path("demo").iterdir()] == ["overlay.mp4"]
    Path("demo/overlay.mp4").rename("demo/street.mp4")
    assert demo("demo/street.mp4").code == 0
    assert Path("demo/street.mp4").read_bytes() == before


def test_a_demo_that_fails_leaves_nothing(demo):
    assert demo("nothing.mp4", "-o", "new/demo").code == 4
    assert not Path("new").exists()


def test_what_is_wrong_is_said(demo, edge_arseg, monkeypatch, tmp_path):
    answer = demo("nothing.mp4")
    assert (answer.code, "nothing.mp4: there is no such file" in answer.err) == (4, True)
    Path("file").write_text("")
    answer = demo("-o", "file/demo")
    assert (answer.code, "cannot write" in answer.err) == (4, True)
    monkeypatch.setattr("edge_arseg.runtime.bundles.zoo.ZOO", tmp_path / "zoo")
    answer = edge_arseg("demo")
    assert (answer.code, "bundles in the package: none; name one with -b BUNDLE" in answer.err) == (3, True)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_run_runs_the_demo(tmp_path):
    """``make -n`` prints what it would run."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())

    def run(*arguments):
        command = ["make", "--no-print-directory", "-n", "-o", ".venv/.device", "run", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30).stdout

    assert run().strip().endswith("edge-arseg demo")
    assert '/edge-arseg demo "a b.mp4"' in run("INPUT=a b.mp4")
