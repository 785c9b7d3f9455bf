"""Where a source comes from: an argument, a line of a file, the environment."""

import json
import os
from pathlib import Path

import pytest
from support.bundles.fake import FAKE, HEIGHT, WIDTH
from support.clips.moving import chainable

from edge_arseg.cli.source import ENVIRONMENT

STREET = f"test://street?size={HEIGHT}x{WIDTH}&frames="


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ENVIRONMENT, raising=False)


@pytest.fixture
def environment(monkeypatch):
    return lambda source: monkeypatch.setenv(ENVIRONMENT, source)


def frames(answer):
    assert answer.code == 0, answer.err
    return len([line for line in answer.out.splitlines() if '"index"' in line])


@pytest.mark.parametrize("line", [b"{}\n", b"  {}\r\n\r\n", b"\xef\xbb\xbf{}"])
def test_the_first_line_of_a_file(run, line):
    Path("camera.txt").write_bytes(line.replace(b"{}", f"{STREET}5".encode()))
    assert frames(run("@camera.txt", "jsonl://-")) == 5


def test_empty_lines_and_comments_before_one_source_are_left_out_and_a_number_sign_in_it_stays(run):
    chainable(Path("a#1.mp4"), 3)
    Path("camera.txt").write_text("\n# my camera\na#1.mp4\n")
    assert frames(run("@camera.txt", "jsonl://-")) == 3


@pytest.mark.parametrize("named", ["an argument", "the environment"])
def test_a_list_that_can_be_read_once_gives_all_its_sources(run, environment, named):
    for name, count in (("a.mp4", 3), ("b.mp4", 2), ("c.mp4", 4)):
        chainable(Path(name), count)
    out, into = os.pipe()
    os.write(into, b"a.mp4\n# not b\nc.mp4\n")
    os.close(into)
    if named == "the environment":
        environment(f"@/dev/fd/{out}")
    answer = run(*([f"@/dev/fd/{out}"] if named == "an argument" else []), "jsonl://{stem}.jsonl")
    os.close(out)
    assert (answer.code, "2 videos, 7 frames" in answer.err) == (0, True), answer.err
    assert sorted(path.name for path in Path().glob("*.jsonl")) == ["a.jsonl", "c.jsonl"]


def test_other_verbs_read_it_too(edge_arseg, fake_bundle):
    Path("camera.txt").write_text(f"{STREET}5\n")
    answer = edge_arseg("bench", "@camera.txt", "--mode", "hr", "--frames", 4, "--json", "-b", fake_bundle, *FAKE)
    assert json.loads(answer.out)["settings"]["source"] == f"{STREET}5"
    assert edge_arseg("demo", "@camera.txt", "-b", fake_bundle, *FAKE).code == 0
    assert len(Path("demo/frames.jsonl").read_text().splitlines()) == 5
    answer = edge_arseg("eval", "--clip", "@nothing.txt", "--labels", ".", "-b", fake_bundle, *FAKE)
    assert (answer.code, "@nothing.txt: cannot be read" in answer.err) == (4, True)


def test_a_file_that_names_no_source(run):
    Path("empty.txt").write_text("\n# none yet\n")
    Path("video.txt").write_bytes(b"\0\0\0 ftyp\n")
    Path("frames.jsonl").write_text('{"index": 0}\n{"index": 1}\n')
    for argument, told in (
        ("@nothing.txt", "cannot be read (No such file"),
        ("@empty.txt", "@empty.txt: no source in it; expected for example rtsp://"),
        ("@video.txt", "no list of sources; expected a text with a source in each line"),
        ("@frames.jsonl", "@frames.jsonl: no list of sources; expected a text with a source in each line"),
    ):
        answer = run(argument, "o.mp4")
        assert (answer.code, told in answer.err) == (4, True)
    answer = run("@empty.txt", "jsonl://empty.txt", "--force")
    assert (answer.code, Path("empty.txt").read_text()) == (4, "\n# none yet\n")


def test_the_file_with_the_source_is_no_sink(run):
    Path("camera.txt").write_text(f"{STREET}5\n")
    answer = run("@camera.txt", "jsonl://camera.txt", "--force")
    assert (answer.code, "which is read" in answer.err, Path("camera.txt").read_text()) == (4, True, f"{STREET}5\n")


def test_a_file_named_like_this_is_read_itself(run):
    chainable(Path("@a.mp4"), 3)
    assert frames(run("@a.mp4", "jsonl://-")) == 3


def test_the_environment_counts_where_no_source_is_given(run, edge_arseg, fake_bundle, environment):
    environment(f"{STREET}6")
    assert frames(run("jsonl://-")) == 6
    assert frames(run(f"@{ENVIRONMENT}", "jsonl://-")) == 6
    assert frames(run("o.mp4", "jsonl://-")) == 6
    assert frames(run("file:p.mp4", "jsonl://-")) == 6
    assert min(Path(name).stat().st_size for name in ("o.mp4", "p.mp4")) > 0
    assert run().code == 0
    answer = edge_arseg("bench", "--mode", "hr", "--frames", 4, "--json", "-b", fake_bundle, *FAKE)
    assert json.loads(answer.out)["settings"]["source"] == f"{STREET}6"
    assert edge_arseg("demo", "-b", fake_bundle, *FAKE).code == 0
    assert len(Path("demo/frames.jsonl").read_text().splitlines()) == 6
    os.mkdir("labels")  # noqa: PTH102
    answer = edge_arseg("eval", "--labels", "labels", "-b", fake_bundle, *FAKE)
    assert "labels: no file ends in .png" in answer.err
    Path("camera.txt").write_text(f"{STREET}4\n")
    environment("@camera.txt")
    assert frames(run("jsonl://-")) == 4


def test_an_argument_counts_before_the_environment(run, edge_arseg, fake_bundle, environment):
    chainable(Path("a.mp4"), 3)
    environment("rtsp://user:secret@host/a")
    answer = run("a.mp4", "jsonl://-")
    assert frames(answer) == 3
    assert f"reads a.mp4, not {ENVIRONMENT}" in answer.err
    assert frames(run(f"{STREET}2", "jsonl://-")) == 2
    answer = edge_arseg("bench", f"{STREET}5", "--mode", "hr", "--frames", 4, "--json", "-b", fake_bundle, *FAKE)
    assert json.loads(answer.out)["settings"]["source"] == f"{STREET}5"


def test_no_source_at_all_is_told(run):
    answer = run()
    assert (answer.code, ENVIRONMENT in answer.err) == (2, True)
    answer = run(f"@{ENVIRONMENT}", "o.mp4")
    assert (answer.code, f"{ENVIRONMENT} is not set" in answer.err) == (4, True)


def test_a_sink_in_the_place_of_the_source_is_told_with_what_to_type(run):
    chainable(Path("drive.mp4"), 3)
    answer = run("masks://m", "drive.mp4")
    assert answer.code == 2
    assert "masks://m is a sink, and the source comes first; type: edge-arseg run drive.mp4 masks://m" in answer.err
    answer = run("jsonl://-", f"{STREET}2")
    assert (answer.code, f"type: edge-arseg run {STREET}2 jsonl://-" in answer.err) == (2, True)


def test_a_video_that_is_there_may_be_the_source(run):
    chainable(Path("drive.mp4"), 3)
    chainable(Path("overlay.mp4"), 3)
    before = Path("drive.mp4").read_bytes()
    answer = run("overlay.mp4", "drive.mp4")
    assert answer.code == 4
    assert "or choose another name; if it is the source, it comes before the sinks" in answer.err
    assert Path("drive.mp4").read_bytes() == before
