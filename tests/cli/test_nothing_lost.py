"""Nothing of the user's is overwritten, whatever is typed; and nothing half-written is left."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.bundles.fake import FAKE, HEIGHT, WIDTH
from support.children import Child
from support.clips.moving import chainable, encode, moving

STREET = f"test://street?size={HEIGHT}x{WIDTH}&frames="


@pytest.fixture
def clip(tmp_path, monkeypatch):
    """A clip, with two links to it and a folder to come back from, in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = chainable(tmp_path / "a.mp4", 5)
    (tmp_path / "soft.mp4").symlink_to("a.mp4")
    os.link(path, tmp_path / "hard.mp4")
    (tmp_path / "sub").mkdir()
    return path


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


SPELLINGS = (
    "a.mp4",
    "./a.mp4",
    "sub/../a.mp4",
    "soft.mp4",
    "hard.mp4",
    "file:a.mp4",
    "file:{}/a.mp4",
    "file://{}/a.mp4",
    "file://localhost{}/a.mp4",
    "FILE://{}/%61.mp4",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_source_is_no_sink_by_any_spelling_of_either(run, clip, tmp_path, spelling):
    spelling = spelling.format(tmp_path)
    before = tree(tmp_path)
    for source, sink in ((clip, spelling), (spelling, clip), (spelling, f"jsonl://{clip}"), (clip, "jsonl://soft.mp4")):
        for force in ((), ("--force",)):
            answer = run(source, sink, *force)
            assert (answer.code, "it is the source, which is being read" in answer.err) == (4, True), answer.err
    assert tree(tmp_path) == before


def images(folder, count=3):
    folder.mkdir(exist_ok=True)
    for number, picture in enumerate(moving(count)):
        encode(folder / "x.png", [picture], "png", pix_fmt="rgb24").rename(folder / f"{number:06d}.png")


@pytest.mark.parametrize("source", ["images://in/%06d.png", "in/*.png", "images://{}/in/*.png", "images://links/*.png"])
@pytest.mark.parametrize("sink", ["masks://in", "masks://{}/sub/../in", "masks://way", "jsonl://in/000001.png"])
def test_images_of_the_source_are_no_sinks(run, clip, tmp_path, source, sink):
    images(tmp_path / "in")
    (tmp_path / "way").symlink_to("in")
    (tmp_path / "links").mkdir()
    for number in range(3):
        (tmp_path / f"links/{number}.png").symlink_to(f"../in/{number:06d}.png")
    before = tree(tmp_path)
    answer = run(source.format(tmp_path), sink.format(tmp_path), "--force")
    assert (answer.code, "cannot write" in answer.err) == (4, True)
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    "sinks",
    [
        ("jsonl://o", "jsonl://./sub/../o"),
        ("o.mp4", "file:o.mp4"),
        ("o.mp4", "jsonl://o.mp4"),
        ("masks://m", "masks://m/"),
        ("masks://m", "jsonl://m/000003.png"),
        ("masks://m.mp4", "m.mp4"),
        ("jsonl://o", "masks://o/deep"),
        ("jsonl://-", "jsonl:///dev/stdout"),
        ("jsonl://pipe", "jsonl://sub/../pipe"),
        ("hls://h", "raw://h/000000.ts"),
        ("udp://127.0.0.1:9", "UDP://127.0.0.1:9/?ttl=2"),
        ("rtmp://u:p@host/live/a", "rtmp://HOST:1935/live/a/"),
        ("jsonl://sub/../h/live.m3u8", "hls://h"),
        ("o.mp4", "raw://o-00000.mp4", "--segment", "1s"),
    ],
)
def test_two_sinks_never_write_to_one_place(run, clip, tmp_path, sinks):
    os.mkfifo("pipe")
    before = tree(tmp_path)
    answer = run(clip, *sinks)
    assert (answer.code, "writes there too; choose another name" in answer.err) == (4, True)
    assert answer.out == ""
    assert tree(tmp_path) == before


def test_a_file_that_is_read_is_none_of_those_that_a_sink_of_many_writes(run, clip, tmp_path):
    """A segment that is the source, a playlist and what it names, a recording that is replayed."""
    assert run(clip, "hls://h").code == 0
    Path("k-00000.mp4").symlink_to("a.mp4")
    Path("m-00003.mp4").write_bytes(clip.read_bytes())
    Path("list.ffconcat").write_text("ffconcat version 1.0\nfile 'a.mp4'\n")
    Path("list.txt").write_text("ffconcat version 1.0\nfile a\\.mp4\n")
    Path("all.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nh/live.m3u8\n")
    Path("parts.m3u8").write_text('#EXTM3U\n#EXT-X-MAP:URI="m-00003.mp4"\n#EXTINF:1,\nh/000000.ts\n')
    Path("t.tape").write_bytes(b"what was recorded")
    before = tree(tmp_path)
    for source, *sinks in (
        ("k-00000.mp4", "k.mp4", "--segment", "1s"),
        ("m-00003.mp4", "sub/../m.mp4", "--segment", "1s"),
        ("h/live.m3u8", "hls://h"),
        ("h/000000.ts", "hls://sub/../h"),
        ("h/live.m3u8", "raw://h/000000.ts"),
        ("list.ffconcat", "jsonl://soft.mp4"),
        ("list.txt", "a.mp4"),
        ("all.m3u8", "raw://h/000000.ts"),
        ("parts.m3u8", "m-00003.mp4"),
        ("replay://t.tape", "jsonl://t.tape"),
        (f"replay://{tmp_path}/t.tape", "raw://sub/../t.tape"),
    ):
        for force in ((), ("--force",)):
            answer = run(source, *sinks, *force)
            assert (answer.code, "which is being read; choose another name" in answer.err) == (4, True), answer.err
    assert tree(tmp_path) == before


def test_a_recording_is_none_of_the_files_of_a_sink(run, clip, tmp_path):
    before = tree(tmp_path)
    for place, *sinks in (("s-00000.mp4", "s.mp4", "--segment", "1s"), ("h/000000.ts", "hls://h")):
        answer = run("udp://127.0.0.1:9", *sinks, "--record", place)
        assert (answer.code, "a sink writes there too; choose another name" in answer.err) == (4, True), answer.err
    assert tree(tmp_path) == before


def test_results_that_are_there_are_replaced_only_with_force(run, clip, tmp_path):
    sinks = ("o.mp4", "jsonl://o.jsonl", "masks://m")
    assert run(clip, *sinks).code == 0
    before = tree(tmp_path)
    for sink in sinks:
        answer = run(clip, sink, "null://", "jsonl://new")
        assert (answer.code, "type --force" in answer.err) == (4, True)
        assert tree(tmp_path) == before
    assert run(clip, *sinks, "--force", "--limit", 2).code == 0
    assert sorted(path.name for path in Path("m").iterdir()) == ["000000.png", "000001.png"]
    assert len(Path("o.jsonl").read_text().splitlines()) == 2
    assert Path("o.mp4").stat().st_size < len(before["o.mp4"])
    assert not list(tmp_path.rglob(".*"))


def test_with_force_a_start_that_fails_loses_nothing_and_leaves_nothing(run, clip, tmp_path, edge_arseg):
    sinks = ("o.mp4", "jsonl://o.jsonl", "masks://m")
    assert run(clip, *sinks).code == 0
    Path("cut.mp4").write_bytes(clip.read_bytes()[:300])
    before = tree(tmp_path)
    more = (*sinks, "new/n.mp4", "jsonl://new/deep/n.jsonl", "masks://new/m", "--force")
    for source in ("nothing.mp4", "cut.mp4", "test://street?frames=0"):
        assert run(source, *more).code in (2, 4)
    assert run(clip, *sinks, "new/n.mp4", "masks:///proc/nowhere", "--force").code == 4
    assert edge_arseg("run", clip, *more, "-b", tmp_path / "no.arseg").code == 3
    assert tree(tmp_path) == before
    assert not Path("new").exists()


def test_force_removes_masks_and_nothing_else(run, clip, tmp_path):
    images(tmp_path / "m")
    Path("m/notes.txt").write_text("mine")
    before = tree(tmp_path)
    answer = run(clip, "masks://m", "--force")
    assert (answer.code, "has a mask's name, but is no mask, so it is not removed" in answer.err) == (4, True)
    assert tree(tmp_path) == before
    for number in range(3):
        Path(f"m/{number:06d}.png").rename(f"m/f{number}.png")
    assert run(clip, "masks://m").code == 0
    assert run(clip, "masks://m", "--force", "--limit", 1).code == 0
    assert set(tree(tmp_path / "m")) == {"000000.png", "f0.png", "f1.png", "f2.png", "notes.txt"}


def test_a_bundle_that_is_read_is_not_written_into(run, clip, fake_bundle):
    before = tree(fake_bundle)
    for sink in (f"jsonl://{fake_bundle}/manifest.json", f"{fake_bundle}/o.mp4", f"masks://{fake_bundle}/golden"):
        answer = run(clip, sink, "--force")
        assert (answer.code, "which is read" in answer.err) == (4, True)
    assert tree(fake_bundle) == before


def test_devices_and_pipes_need_no_force(run, clip):
    os.mkfifo("pipe")
    with Child(["cat", "pipe"], stdout=subprocess.PIPE, text=True) as reader:
        answer = run(clip, "jsonl://pipe", "jsonl:///dev/null", "jsonl:///dev/null", "null://", "null://")
        assert answer.code == 0, answer.err
        assert len(reader.stdout.read().splitlines()) == 5
    answer = run(clip, "jsonl:///dev/stdout")
    assert [json.loads(line)["index"] for line in answer.out.splitlines()] == [0, 1, 2, 3, 4]


def test_a_running_process_keeps_its_places_even_from_force_and_a_dead_one_does_not(run, fake_bundle, clip, tmp_path):
    sinks = ("o.mp4", "jsonl://o.jsonl", "masks://m")
    command = (
        sys.executable,
        "-m",
        "edge_arseg",
        "run",
        STREET + "9999",
        *sinks,
        "jsonl://-",
        "-b",
        fake_bundle,
        *FAKE,
    )
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with Child(command, stdout=subprocess.PIPE, env=here) as other:
        other.stdout.readline()
        for sink in (*sinks, f"jsonl://{tmp_path}/sub/../o.mp4"):
            answer = run(clip, sink, "--force")
            assert (answer.code, "a running process writes" in answer.err) == (4, True), answer.err
        other.kill()
    assert all(Path(name).exists() for name in ("o.mp4", "o.jsonl", "m/000000.png"))
    assert run(clip, *sinks, "--force", "--limit", 1).code == 0


def test_bench_and_convert_keep_what_is_there(edge_arseg, fake_bundle, clip, own_checkpoint):
    bench = ("bench", clip, "-b", fake_bundle, *FAKE, "--mode", "ar", "--frames", 4, "-o")
    for place in (clip, fake_bundle / "manifest.json"):
        before = place.read_bytes()
        answer = edge_arseg(*bench, place, "--force")
        assert (answer.code, "which is read" in answer.err) == (4, True)
        assert place.read_bytes() == before
    Path("r.json").write_text("mine")
    answer = edge_arseg(*bench, "r.json")
    assert (answer.code, "type --force" in answer.err, Path("r.json").read_text()) == (4, True, "mine")
    assert edge_arseg(*bench, "r.json", "--force").code == 0
    assert json.loads(Path("r.json").read_text())["settings"]["source"] == "a.mp4"
    assert edge_arseg(*bench, "/dev/null").code == 0
    path, *backbone = own_checkpoint
    content = path.read_bytes()
    answer = edge_arseg("convert", path, *backbone, "-o", path, "--force")
    assert (answer.code, "which is read" in answer.err, path.read_bytes() == content) == (4, True, True)
    Path("c.safetensors").write_text("mine")
    answer = edge_arseg("convert", path, *backbone, "-o", "c.safetensors")
    assert (answer.code, Path("c.safetensors").read_text()) == (4, "mine")
    assert edge_arseg("convert", path, *backbone, "-o", "c.safetensors", "--force").code == 0


@pytest.mark.parametrize("verb", ["quantize", "compile"])
def test_a_bundle_does_not_become_its_own_successor(edge_arseg, own_bundle, verb, tmp_path):
    (tmp_path / "way").symlink_to(own_bundle.parent)
    more = ("--target", "cpu") if verb == "compile" else ()
    before = tree(own_bundle)
    for output in (own_bundle, tmp_path / "way" / own_bundle.name):
        answer = edge_arseg(verb, own_bundle, "-o", output, "--force", *more)
        assert (answer.code, "which is read; choose another name" in answer.err) == (4, True), answer.err
    assert tree(own_bundle) == before
