"""Times of real streams over TCP whose clock restarts, and that are gone for a while."""

import itertools
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from support.clips.live_server import served
from support.clips.moving import encode, moving

from edge_arseg.errors import MotionError
from edge_arseg.spec.frame import MotionSource
from edge_arseg.video import open_video


@contextmanager
def sender(*shows):
    """A server on loopback. For each (seconds, bytes) it waits so long, then listens and sends them to one client.

    An event among the bytes is waited for.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    listens, over = threading.Event(), threading.Event()

    def serve():
        for wait_s, *parts in shows:
            over.wait(wait_s)
            with socket.create_server(("127.0.0.1", port)) as server:
                server.settimeout(20)
                listens.set()
                client, _ = server.accept()
            with client:
                for part in parts:
                    part.wait(20) if isinstance(part, threading.Event) else client.sendall(part)
        over.wait(20)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert listens.wait(5)
    try:
        yield f"tcp://127.0.0.1:{port}"
    finally:
        over.set()
        thread.join(25)


@pytest.fixture
def part(tmp_path):
    return encode(tmp_path / "part.ts", moving(12, height=64, width=96), bf=0, refs=1).read_bytes()


def until(reader, index):
    """Frames up to the one with this index."""
    frames = []
    for frame in reader:
        frames.append(frame)
        if frame.index >= index:
            return frames
    raise AssertionError("the stream ended")


def test_a_clock_that_restarts_inside_a_live_stream_goes_on(part):
    with sender((0, 2 * part)) as url, open_video(url, timeout_s=(5, 5), retry_s=0.2) as reader:
        frames = until(reader, 23)
    assert all(a.time_s < b.time_s for a, b in itertools.pairwise(frames))
    # 23 steps of 0.04 s, the one across the restart by the clock on the wall.
    assert 0.919 < frames[-1].time_s < 2


def test_an_outage_is_part_of_the_time(part):
    with sender((0, part), (1.5, part)) as url, open_video(url, timeout_s=(5, 5), retry_s=10) as reader:
        before = until(reader, 11)[-1]
        start = time.monotonic()
        after = next(frame for frame in reader if frame.index >= 12)
        passed = time.monotonic() - start
    assert after.index == 12 or after.missed
    steps = after.index - 12
    assert after.time_s - before.time_s == pytest.approx(passed + 0.04 * steps, abs=0.6)
    assert after.time_s - before.time_s > 1.4


@pytest.mark.timed
def test_the_first_pictures_of_rtsp_have_sane_times():
    listen = {"rtsp_flags": "listen", "listen_timeout": "5"}
    with served(60) as (url, _), open_video(url, options=listen, timeout_s=(15, 1)) as reader:
        frames = until(reader, 20)
    assert frames[0].time_s == pytest.approx(0.04 * frames[0].index)
    for a, b in itertools.pairwise(frames):
        assert (b.time_s - a.time_s) / (b.index - a.index) == pytest.approx(0.04, abs=0.002)


@pytest.mark.timed
def test_a_live_stream_that_loses_its_motion_ends_at_once_and_names_the_frame(tmp_path, part):
    other = encode(tmp_path / "other.ts", moving(12, height=64, width=96), bf=0, refs=4).read_bytes()
    with sender((0, 20 * part + other)) as url, open_video(url, motion="codec", timeout_s=(5, 5)) as reader:
        start = time.monotonic()
        with pytest.raises(MotionError, match=r"from frame 240 on its own vectors cannot be used: .*4 ref"):
            list(reader)
    assert time.monotonic() - start < 5


def test_a_live_stream_that_changes_goes_on_recoded(tmp_path, part):
    other = encode(tmp_path / "other.ts", moving(12, height=64, width=96), bf=0, refs=4).read_bytes()
    seen = threading.Event()
    with sender((0, 20 * part, seen, other)) as url, open_video(url, timeout_s=(5, 5), retry_s=0.2) as reader:
        assert next(reader).source is MotionSource.CODEC
        seen.set()
        assert until(reader, 251)[-1].source is MotionSource.RECODE
