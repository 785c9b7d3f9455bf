"""Names that look like something else, as sources and sinks of ``run``."""

import os
from pathlib import Path

import av
import pytest
from support.bundles.fake import FAKE
from support.clips.moving import chainable


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "2024-05-01T12:30:00.mp4",
        "rtsp:x.mp4",
        "pipe:1.mp4",
        "-x.mp4",
        "100%.mp4",
        "50%d.mp4",
        "b*?.mp4",
        "a#b@c.mkv",
        os.fsdecode(b"Stra\xdfe.mkv"),
    ],
)
def test_a_name_is_a_name_as_source_and_as_sink(edge_arseg, fake_bundle, name):
    options = ("-b", fake_bundle, *FAKE, "--")
    chainable(Path("z.mkv"), 4).rename(name)
    answer = edge_arseg("run", *options, name, "null://")
    assert answer.code == 0, answer.err
    assert "4 frames" in answer.err
    Path("in").mkdir()
    Path(name).rename("in/z.mkv")
    answer = edge_arseg("run", *options, "in/z.mkv", name)
    assert answer.code == 0, answer.err
    with av.open(f"file:{name}") as overlay:
        assert sum(1 for _ in overlay.decode(video=0)) == 4
    assert sorted(path.name for path in Path().iterdir()) == sorted(["in", name])


def test_a_sink_is_decoded_like_a_source(run, tmp_path):
    chainable(Path("z.mp4"), 2)
    assert run("z.mp4", f"file://{tmp_path}/a%20b.mp4").code == 0
    assert Path("a b.mp4").stat().st_size > 0
    assert run(f"file://localhost{tmp_path}/a%20b.mp4", "null://").code == 0


@pytest.mark.parametrize("length", [240, 300])
def test_a_long_name_is_written_or_told(run, length):
    chainable(Path("z.mp4"), 2)
    for sink in (f"{'n' * (length - 4)}.mp4", f"jsonl://{'j' * length}"):
        answer = run("z.mp4", sink)
        assert answer.code == (0 if length == 240 else 4), answer.err
        assert ("the name is too long: choose a shorter one" in answer.err) == (length == 300)
    assert run(f"{'n' * 300}.mp4", "o.mp4").code == 4
    assert not Path("o.mp4").exists()
