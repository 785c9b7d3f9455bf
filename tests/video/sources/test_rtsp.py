"""A real RTSP server on loopback: what a camera does to a run."""

import os
import resource
import signal
import socket
import threading
import time
from contextlib import contextmanager
from itertools import islice

import pytest
from support.bundles.fake import FAKE, write_fake_bundle
from support.clips.rtsp_server import RtspServer, missing

from edge_arseg import Branch, KeyframePolicy, LiveOptions, LoginError, SourceError, open_video
from edge_arseg.motion import MotionChain

needs_server = pytest.mark.skipif(missing() is not None, reason=str(missing()))
SIZE = (240, 320)


def opened(server, **options):
    return open_video(server.url, size=SIZE, motion="codec", **options)


@needs_server
@pytest.mark.parametrize("transports", ["any", "udp"])
def test_the_first_frame_is_fresh_over_tcp_and_from_a_server_that_has_udp_only(transports):
    with RtspServer(transports=transports) as server:
        start = time.monotonic()
        with opened(server) as reader:
            frames = list(islice(reader, 3))
    assert time.monotonic() - start < 1.5
    assert frames[1].index - frames[0].index < 15  # 25 to 28 are dropped where the rate is measured first
    assert reader.motion_reason == "asked for"


@needs_server
@pytest.mark.parametrize(("transports", "other"), [("tcp", "udp"), ("udp", "tcp")])
def test_a_transport_that_is_asked_for_is_taken_or_refused(transports, other):
    with RtspServer(transports=transports) as server:
        with opened(server, live=LiveOptions(rtsp_transport=transports)) as reader:
            next(reader)
        with pytest.raises(SourceError, match="does not send over this transport; type --rtsp-transport auto"):
            opened(server, live=LiveOptions(rtsp_transport=other))


@needs_server
def test_a_wrong_password_ends_it_at_once_also_where_a_source_is_waited_for():
    with RtspServer(login="me:right") as server:
        with opened(server) as reader:
            next(reader)
        server.url = server.url.replace("right", "wrong")
        start = time.monotonic()
        with pytest.raises(LoginError, match="refuses this login") as raised:
            opened(server, live=LiveOptions(wait=True))
        assert "wrong" not in str(raised.value)
    assert time.monotonic() - start < 2


@needs_server
@pytest.mark.slow
def test_a_frozen_server_is_noticed_in_time_and_nothing_stale_is_given_out(caplog):
    with RtspServer() as server, opened(server, timeout_s=(10.0, 1.0)) as reader:
        list(islice(reader, 5))
        server.send(signal.SIGSTOP)
        threading.Timer(2.5, server.send, (signal.SIGCONT,)).start()
        gap, came = 0.0, time.monotonic()
        while gap < 1:
            frame = next(reader)
            gap, came = time.monotonic() - came, time.monotonic()
    assert 2.4 < gap < 4.5
    assert frame.vectors is None  # a new stream
    assert "no data arrived for 1 s" in caplog.text
    assert caplog.text.count("back after ") == 1


@needs_server
def test_a_source_that_is_not_there_yet_is_waited_for(caplog):
    server = RtspServer()
    threading.Timer(1.2, server.start).start()
    try:
        with opened(server, live=LiveOptions(wait=True, timeout_s=20.0)) as reader:
            assert next(reader).index >= 0
    finally:
        server.kill()
    assert caplog.text.count("waiting for it, for 20 s at most") == 1


@pytest.mark.timed
def test_a_source_that_never_comes_ends_after_the_timeout_or_at_once():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"rtsp://127.0.0.1:{unused.getsockname()[1]}/live"
        for live, least in ((LiveOptions(), 0.0), (LiveOptions(wait=True, timeout_s=1.5), 0.9)):
            start = time.monotonic()
            with pytest.raises(SourceError, match="nobody listens at this address"):
                open_video(url, live=live)
            assert least <= time.monotonic() - start < least + 1.5


@needs_server
@pytest.mark.slow
def test_an_outage_of_rtsp_is_part_of_the_time():
    """The first picture of H.264 after opening has no time."""
    with RtspServer() as server, opened(server) as reader:
        before = list(islice(reader, 5))[-1]
        server.kill()
        time.sleep(2.5)
        server.start()
        after = next(reader)
        while after.arrived_s - before.arrived_s < 2:
            before, after = after, next(reader)
        later = list(islice(reader, 25))
    for frame in (after, *later):
        assert frame.time_s - before.time_s == pytest.approx(frame.arrived_s - before.arrived_s, abs=0.5)


@needs_server
@pytest.mark.slow
@pytest.mark.parametrize("motion", ["codec", "recode"])
def test_intra_frames_of_rtsp_need_no_keyframes_of_their_own(motion):
    """The encoder sets one every 25 frames."""
    live = LiveOptions(on_late="block")
    with RtspServer() as server, open_video(server.url, size=SIZE, motion=motion, live=live) as reader:
        chain = MotionChain(reader.height, reader.width, policy=KeyframePolicy(interval=12))
        frames = list(islice(reader, 100))
        keyframes = [frame.index for frame in frames if chain.follow(frame)[0] is Branch.HR]
    assert sum(frame.intra for frame in frames) == 4
    assert keyframes == list(range(0, 100, 12))


@needs_server
@pytest.mark.slow
def test_a_bench_of_rtsp_gives_no_verdict_for_its_frames_are_waited_for(tmp_path, edge_arseg):
    bundle = write_fake_bundle(tmp_path / "fake.arseg")
    with RtspServer(size="64x48") as server:
        answer = edge_arseg("bench", server.url, "-b", bundle, *FAKE, "--frames", "12", "-o", tmp_path / "r.json")
    assert answer.code == 0, answer.err
    assert "no verdict: frames of a live source come at its own pace" in answer.out
    assert "AR pays" not in answer.out
    assert "outside the networks" not in answer.out


@contextmanager
def mute():
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"rtsp://127.0.0.1:{server.getsockname()[1]}/live"


def test_a_server_that_never_answers_is_called_that():
    with mute() as url, pytest.raises(SourceError, match="nothing came for 1 s; check that the server answers"):
        open_video(url, timeout_s=(1.0, 1.0))


def test_a_server_that_never_answers_takes_no_more_time_than_is_allowed():
    """``--timeout`` holds at the start too."""
    with mute() as url, pytest.raises(SourceError, match="nothing came for 1 s"):
        open_video(url, live=LiveOptions(timeout_s=1.0))


@pytest.mark.timed
def test_an_interrupt_ends_the_wait_for_an_answer():
    with mute() as url:
        start = time.monotonic()
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            open_video(url, timeout_s=(4.0, 4.0))
        assert time.monotonic() - start < 2


@needs_server
@pytest.mark.slow
def test_closing_does_not_wait_for_a_frozen_server():
    with RtspServer() as server:
        reader = opened(server)
        next(reader)
        server.send(signal.SIGSTOP)
        time.sleep(0.2)
        start = time.monotonic()
        reader.close()
        assert time.monotonic() - start < 2


def held():
    return threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@contextmanager
def garbage(port):
    """Answers every connection with bytes that mean nothing."""
    with socket.create_server(("127.0.0.1", port), reuse_port=True) as server:
        server.settimeout(0.1)
        over = threading.Event()

        def serve():
            while not over.is_set():
                try:
                    client, _ = server.accept()
                except TimeoutError:
                    continue
                with client:
                    client.sendall(os.urandom(2000))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@needs_server
@pytest.mark.slow
def test_a_server_killed_20_times_comes_back_within_two_seconds_and_nothing_leaks(caplog):
    server, sizes = RtspServer().start(), ["320x240", "480x360"]
    try:
        with opened(server) as reader:
            list(islice(reader, 10))
            before, memory = held(), None
            for round_ in range(20):
                server.kill()
                if round_ % 5 == 4:
                    with garbage(server.port):
                        time.sleep(1.5)
                else:
                    time.sleep(0.3)
                server.size = sizes[round_ // 4 % 2]
                server.start()
                back = time.monotonic()
                lines = caplog.text.count("back after")
                frame = next(reader)
                while caplog.text.count("back after") == lines:
                    frame = next(reader)
                assert time.monotonic() - back < 2
                assert frame.rgb.shape == (*SIZE, 3)
                indices = [frame.index, *(frame.index for frame in islice(reader, 5))]
                assert indices == sorted(set(indices))
                if round_ == 4:
                    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            after = held()
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    finally:
        server.kill()
    assert after[0] <= before[0]
    assert after[1] <= before[1] + 1
    assert grown < 20_000  # kilobytes
    assert "its pictures are 360x480 now, rows x columns" in caplog.text
