"""Many videos in one command, videos that are piped in, and no sink at all."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from support.bundles.fake import FAKE, HEIGHT, WIDTH
from support.children import Child
from support.clips.moving import chainable

from edge_arseg.cli.run.recordings import parent_of, stem_of
from edge_arseg.video.uri import source_from_uri

PIPED = {
    "mpegts": ("mpegts", "libx264", {}),
    "matroska": ("matroska", "libx264", {}),
    "mp4": ("mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
    "y4m": ("yuv4mpegpipe", "wrapped_avframe", {}),
    "mjpeg": ("mjpeg", "mjpeg", {}),
    "h264": ("h264", "libx264", {}),
}
FAST = ("mpegts", "mp4")


@pytest.fixture
def clips(tmp_path, monkeypatch):
    """Two videos of 3 and 5 frames, and a text, in a folder ``clips``."""
    monkeypatch.chdir(tmp_path)
    Path("clips").mkdir()
    chainable(Path("clips/b2.mp4"), 3)
    chainable(Path("clips/b10.mp4"), 5)
    Path("clips/notes.txt").write_text("no video")
    return Path("clips")


def lines_in(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


@pytest.mark.parametrize("source", ["clips", "clips/*.mp4", "**/*.mp4", "cl?ps/b*.mp4"])
def test_a_folder_and_a_pattern_stand_for_all_videos_in_them(run, clips, source):
    answer = run(source, "jsonl://{number}-{stem}.jsonl", "null://")
    assert answer.code == 0, answer.err
    assert [len(lines_in(name)) for name in ("1-b2.jsonl", "2-b10.jsonl")] == [3, 5]
    assert "2 videos, 8 frames" in answer.err


def test_a_video_that_fails_is_named_and_the_others_are_run(run, clips):
    (clips / "a.mp4").write_bytes((clips / "b2.mp4").read_bytes()[:100])
    answer = run("clips", "jsonl://{stem}.jsonl")
    assert answer.code == 4
    assert answer.err.rstrip().endswith("error: 1 of 3 videos failed: clips/a.mp4; see above for the reasons")
    assert sorted(path.name for path in Path().glob("*.jsonl")) == ["b10.jsonl", "b2.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("clips", "o.mp4"), 4, "put {stem} in the name of the sink, for example 'o-{stem}.mp4'"),
        (
            ("clips", "jsonl://-"),
            4,
            "2 videos would go there; put {stem} in the name of the sink, for example 'jsonl://{stem}",
        ),
        (("clips", "masks://out"), 4, "for example 'masks://out/{stem}'"),
        (
            ("clips/b2.mp4", "clips/b10.mp4", "clips/b10.mp4", "--force"),
            2,
            "Put it in quotes: edge-arseg run 'clips/*.mp4'",
        ),
        (("empty", "o.mp4"), 4, "no video and no picture in this folder"),
        (("both", "o.mp4"), 4, "type 'both/*.mp4' or 'both/*.png'"),
        (("webcam", "o.mp4"), 4, "for the first camera type 0"),
        (("97", "o.mp4"), 4, "there is no camera /dev/video97"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_type(run, clips, arguments, code, told):
    for name in ("empty", "both"):
        Path(name).mkdir()
    Path("both/a.mp4").touch()
    Path("both/a.png").touch()
    before = (clips / "b10.mp4").read_bytes()
    answer = run(*arguments)
    assert (answer.code, told in answer.err) == (code, True), answer.err
    assert (clips / "b10.mp4").read_bytes() == before


def test_two_videos_of_one_name_need_their_folder_or_a_number(run, clips):
    Path("more").mkdir()
    chainable(Path("more/b2.mp4"), 4)
    answer = run("*/b2.mp4", "jsonl://{stem}.jsonl")
    assert (answer.code, "put {parent} beside {stem}" in answer.err) == (4, True)
    assert run("*/b2.mp4", "jsonl://{parent}/{stem}.jsonl").code == 0
    assert [len(lines_in(f"{parent}/b2.jsonl")) for parent in ("clips", "more")] == [3, 4]
    chainable(Path("more/b2.mkv"), 4)
    assert "put {number} beside {stem}" in run("more/*.m*", "jsonl://{stem}.jsonl").err
    assert run("*/b2.mp4", "jsonl://{stem}-{number}.jsonl").code == 0
    assert [len(lines_in(f"b2-{number}.jsonl")) for number in (1, 2)] == [3, 4]


@pytest.mark.parametrize(
    ("source", "parent", "stem"),
    [
        ("http://u:SEC@127.0.0.1:8766/a.mp4", "127.0.0.1:8766", "a"),
        ("http://u:S/EC@host/north/a.mp4?token=SEC", "north", "a"),
        ("http://u:SEC@camera", "root", "camera"),
        ("s3://u:SEC@bucket/day=3/a.mp4", "day=3", "a"),
        ("s3://u:SEC@bucket/key=3/a.mp4", "key=3", "a"),
        ("clips/b2.mp4", "clips", "b2"),
        ("images://clips/%06d.png", "clips", "clips"),
        ("/dev/video7", "dev", "video7"),
        ("-", "root", "stdin"),
    ],
)
def test_names_are_made_of_folders_and_hosts_and_never_of_logins(clips, source, parent, stem):
    assert (parent_of(source), stem_of(source_from_uri(source))) == (parent, stem)


def test_a_sink_that_is_refused_is_shown_without_its_login(run, clips):
    for sink in ("mqtt://u:SEC@host/topic", "mqtt://u:SEC@host/{parent}"):
        answer = run("clips", sink)
        assert (answer.code, "SEC" in answer.err, "mqtt://***@host/" in answer.err) == (4, False, True), answer.err


def test_other_verbs_name_the_videos_of_a_folder(edge_arseg, fake_bundle, clips):
    answer = edge_arseg("bench", "clips", "-b", fake_bundle, *FAKE)
    assert (answer.code, "2 videos, clips/b2.mp4 the first; name one of them" in answer.err) == (4, True), answer.err


def test_a_folder_of_images_is_a_sequence(run, clips):
    Path("pictures").mkdir()
    for number in (1, 2, 10):
        picture = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), number, np.uint8), format="rgb24")
        picture.save(f"pictures/f{number}.png")
    Path("pictures/notes.txt").write_text("no picture")
    assert run("pictures", "jsonl://{stem}.jsonl").code == 0
    assert len(lines_in("pictures.jsonl")) == 3


def test_without_a_sink_an_overlay_is_written_over_nothing(run, clips):
    for name in ("b2-overlay.mp4", "b2-overlay-2.mp4"):
        answer = run("clips/b2.mp4")
        assert answer.code == 0, answer.err
        assert f"no sink named: writes {name}" in answer.err
        with av.open(name) as container:
            assert sum(1 for _ in container.decode(video=0)) == 3


def piped(data, bundle, *arguments, **options):
    command = [sys.executable, "-m", "edge_arseg", "run", "-", *map(str, arguments), "-b", str(bundle), *FAKE]
    return subprocess.run(command, input=data, capture_output=True, timeout=120, **options)


@pytest.mark.parametrize("name", [*FAST, *(pytest.param(n, marks=pytest.mark.slow) for n in PIPED if n not in FAST)])
def test_a_video_is_piped_in(fake_bundle, tmp_path, name):
    container_format, codec, options = PIPED[name]
    with av.open(str(tmp_path / "video"), "w", format=container_format, options=options) as out:
        stream = out.add_stream(codec, rate=15, width=WIDTH, height=HEIGHT)
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(12):
            picture = np.full((HEIGHT, WIDTH, 3), 10 * number, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    answer = piped((tmp_path / "video").read_bytes(), fake_bundle, "jsonl://-")
    assert answer.returncode == 0, answer.stderr
    assert len(answer.stdout.splitlines()) == 12


def test_a_pipe_that_holds_no_video_says_what_to_send(fake_bundle):
    answer = piped(b"", fake_bundle, "jsonl://-")
    assert (answer.returncode, answer.stdout) == (4, b"")
    assert b"error: standard input: " in answer.stderr
    assert b"frag_keyframe+empty_moov" in answer.stderr


@pytest.mark.parametrize("redirection", ["<&-", "</dev/null"])
@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_a_standard_input_from_which_nothing_can_come_is_refused(fake_bundle, redirection, name):
    command = [sys.executable, "-m", "edge_arseg", "run", name, "null://", "-b", str(fake_bundle), *FAKE]
    answer = subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", *command], capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 4
    assert "error: standard input: nothing is piped into it; expected for example ffmpeg" in answer.stderr


def test_a_file_on_the_standard_input_is_not_overwritten(fake_bundle, clips):
    before = (clips / "b2.mp4").read_bytes()
    with (clips / "b2.mp4").open("rb") as file:
        command = [sys.executable, "-m", "edge_arseg", "run", "-", "clips/b2.mp4", "--force", "-b", fake_bundle, *FAKE]
        answer = subprocess.run(command, stdin=file, capture_output=True, text=True, timeout=120)
    assert (answer.returncode, "it is the source" in answer.stderr) == (4, True)
    assert (clips / "b2.mp4").read_bytes() == before


def test_a_signal_ends_the_wait_for_a_pipe(fake_bundle):
    command = [sys.executable, "-m", "edge_arseg", "run", "-", "jsonl://-", "-b", fake_bundle, *FAKE]
    with Child(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stderr.readline()  # the choice is made; what follows waits
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.terminate()
        assert process.wait(10) == 143
        assert "Traceback" not in process.stderr.read()


def test_one_that_stands_still_can_be_asked_where(fake_bundle):
    """As the page of troubleshooting says."""
    command = [sys.executable, "-m", "edge_arseg", "run", "-", "jsonl://-", "-b", fake_bundle, *FAKE]
    with Child(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # sets PYTHONFAULTHANDLER
        process.stderr.readline()  # the choice is made; what follows waits
        process.send_signal(signal.SIGABRT)
        assert "edge_arseg/cli/main.py" in process.communicate(timeout=30)[1]
    assert process.returncode == -signal.SIGABRT


def test_segments_are_named_as_they_are_written(run, clips):
    answer = run("clips/b10.mp4", "s.mp4", "jsonl://s.jsonl", "--segment", "1s")
    assert answer.code == 0, answer.err
    assert "written to s-00000.mp4 and so on, jsonl://s.jsonl" in answer.err
    assert Path("s-00000.mp4").exists()
