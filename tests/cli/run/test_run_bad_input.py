"""``run`` on sources that are broken or break: a clear error and its exit code, or a documented recovery; no hang."""

import functools
import json
import re
import signal
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest
from support.bundles.fake import HEIGHT, WIDTH
from support.clips.broken import audio_only, broken, remuxed
from support.clips.live_server import SERVER, served
from support.clips.moving import chainable, encode, moving
from support.clips.moving import run as start

from edge_arseg.errors import SourceError
from edge_arseg.video.decoding import decode
from edge_arseg.video.decoding.picture import Picture
from edge_arseg.video.reader import open_video


def lines_in(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def written(path, content):
    path.write_bytes(content)
    return path


def half(path):
    whole = chainable(path.with_name("whole.mp4"), 20)
    return written(path, whole.read_bytes()[: whole.stat().st_size // 2])


BAD = {
    "missing": (lambda path: path, "there is no such file or device"),
    "folder": (lambda path: path.mkdir() or path, "no video and no picture in this folder"),
    "empty": (lambda path: written(path, b""), "an empty file; was it copied or recorded to its end?"),
    "junk": (lambda path: written(path, b"just some text\n" * 99), "not readable as video"),
    "audio only": (lambda path: audio_only(path.with_suffix(".m4a")), "no video in it, only audio"),
    "no index": (half, "cut off before its index"),
    "camera": (lambda _: "/dev/video97", "there is no camera /dev/video97"),
    "server": (lambda _: "rtsp://127.0.0.1:9/a", "nobody listens at this address"),
    "scheme": (lambda _: "gopher://a", "unknown kind of source gopher://"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_opened_exits_with_4_and_leaves_nothing(run, tmp_path, name):
    make, says = BAD[name]
    answer = run(make(tmp_path / "a.mp4"), tmp_path / "out/a.mp4")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err.splitlines()[-1].startswith("error: ")
    assert says in answer.err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_a_cut_off_file_is_segmented_up_to_the_cut(run, tmp_path):
    whole, fast, cut = (tmp_path / name for name in ("whole.mp4", "fast.mp4", "cut.mp4"))
    encode(whole, moving(40, step=(7, 5)), bf=0, refs=1)
    remuxed(whole, fast, movflags="faststart")
    cut.write_bytes(fast.read_bytes()[: int(fast.stat().st_size * 0.6)])
    answer = run(cut, f"jsonl://{tmp_path}/a.jsonl", tmp_path / "a.mp4")
    frames = len(lines_in(tmp_path / "a.jsonl"))
    assert answer.code == 4
    assert f"ends in damage after {frames} of 40 frames" in answer.err.splitlines()[-1]
    with av.open(str(tmp_path / "a.mp4")) as overlay:
        assert sum(1 for _ in overlay.decode(video=0)) == frames > 5


def test_a_change_of_size_makes_a_keyframe(run, tmp_path):
    small, large = tmp_path / "small.ts", tmp_path / "large.ts"
    encode(small, moving(7), bf=0, refs=1)
    encode(large, moving(7, height=240, width=320), bf=0, refs=1)
    both = written(tmp_path / "both.ts", small.read_bytes() + large.read_bytes())
    answer = run(both, f"jsonl://{tmp_path}/a.jsonl", tmp_path / "a.mp4")
    assert answer.code == 0, answer.err
    lines = lines_in(tmp_path / "a.jsonl")
    assert len(lines) == 14
    assert [line["index"] for line in lines if line["branch"] == "hr"] == [0, 4, 7, 11]


@pytest.mark.parametrize("seed", range(3))
def test_flipped_bytes_do_not_stop_it(run, tmp_path, seed):
    whole = chainable(tmp_path / "whole.ts", 40, g=10)
    answer = run(broken(tmp_path / "a.ts", whole, 6000, 25, seed), f"jsonl://{tmp_path}/a.jsonl", "--scene-cut", 1)
    assert answer.code == 0 or (answer.code == 4 and "ends in damage" in answer.err)
    assert len(lines_in(tmp_path / "a.jsonl")) > 20


def test_lost_packets_leave_frames_out(run, tmp_path):
    remuxed(encode(tmp_path / "whole.mp4", moving(24), bf=0, refs=1, g=10), tmp_path / "a.mp4", without=(4, 5, 17))
    answer = run(tmp_path / "a.mp4", f"jsonl://{tmp_path}/a.jsonl")
    assert answer.code == 0, answer.err
    assert len(lines_in(tmp_path / "a.jsonl")) == 21


class Unplugged:
    """In place of the decoder of a camera: a few pictures, then its device is gone."""

    rate, frame_count, unfit, made_by_x264 = 25.0, None, "a fake", False

    def __init__(self, source, *_arguments, **_options):
        self.pauses, self.device = 0, Path(source.location)

    def pictures(self):
        for n in range(3):
            yield Picture(av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), 40 * n, np.uint8), "rgb24"), n / 25)
            time.sleep(0.05)
        self.device.unlink()
        raise SourceError("no such device")

    def close(self):
        pass


def test_an_unplugged_camera_exits_with_4(run, tmp_path, monkeypatch):
    monkeypatch.setattr(decode, "Decoder", Unplugged)
    device = written(tmp_path / "video98", b"")
    answer = run(f"v4l2://{device}", f"jsonl://{tmp_path}/a.jsonl")
    assert answer.code == 4
    assert f"the camera is gone: there is no {device} any more; plug it in again" in answer.err.splitlines()[-1]
    assert lines_in(tmp_path / "a.jsonl")[0]["index"] == 0


@pytest.fixture
def listening(monkeypatch):
    """Let ``run`` wait for a server that calls; the argument says for how many silent seconds."""

    def patient(retry_s):
        listen = {"rtsp_flags": "listen", "listen_timeout": "10"}
        opening = functools.partial(open_video, options=listen, timeout_s=(30, 1), retry_s=retry_s)
        monkeypatch.setattr("edge_arseg.video.reader.open_video", opening)

    return patient


def after_lines(path, count, act):
    """Do something once so many lines are written."""

    def wait():
        end = time.monotonic() + 200
        while time.monotonic() < end:
            if path.exists() and len(path.read_text().splitlines()) >= count:
                act()
                return
            time.sleep(0.05)

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.slow
def test_a_stalled_server_exits_with_4(run, listening, tmp_path):
    lines = tmp_path / "a.jsonl"
    listening(4)
    with served() as (url, servers):
        after_lines(lines, 2, lambda: servers[0].send_signal(signal.SIGSTOP))
        answer = run(url, f"jsonl://{lines}")
    assert answer.code == 4
    assert "and opening it again did not help" in answer.err.splitlines()[-1]
    assert len(lines_in(lines)) >= 2


def test_a_killed_server_is_waited_for_and_its_successor_read(run, listening, tmp_path):
    lines = tmp_path / "a.jsonl"
    listening(90)
    with served() as (url, servers):

        def replace():
            servers[0].kill()
            servers.append(start(SERVER, url, 10_000))

        after_lines(lines, 3, replace)
        answer = run(url, f"jsonl://{lines}", "--limit", 30)
    assert answer.code == 0, answer.err
    told = lines_in(lines)
    left_out = sum(map(int, re.findall(r"a\.jsonl: (\d+) results? dropped", answer.err)))  # where the machine is busy
    assert len(told) + left_out == 30
    assert any(line["branch"] == "hr" for line in told[3:])
