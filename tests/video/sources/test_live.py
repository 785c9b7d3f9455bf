import itertools
import math
import queue
import signal
import threading
import time
from contextlib import contextmanager

import av
import numpy as np
import pytest
from support.clips.live_server import SERVER, served
from support.clips.moving import moving, run

from edge_arseg.errors import SourceError
from edge_arseg.motion import MotionChain
from edge_arseg.spec.frame import Branch
from edge_arseg.video import open_video, source_from_uri
from edge_arseg.video.decoding.picture import Picture
from edge_arseg.video.delivery.room import MISSED_LIMIT, NewestRoom
from edge_arseg.video.frame_source import FrameSource
from edge_arseg.video.frames import FrameMaker
from edge_arseg.video.reader import VideoReader
from edge_arseg.video.sources.live import LONGEST_PAUSE_S, Live

PICTURES = [av.VideoFrame.from_ndarray(rgb, format="rgb24") for rgb in moving(8, step=(3, 2))]


class Camera:
    """Pictures when the test says so: put a picture, an error to raise, or ``None`` to end the stream."""

    rate, frame_count, unfit, made_by_x264 = 25.0, None, "a fake", False

    def __init__(self):
        self.script = queue.Queue()
        self.closed = False

    def pictures(self):
        while (what := self.script.get(timeout=20)) is not None:
            if isinstance(what, Exception):
                raise what
            yield what

    def close(self):
        self.closed = True

    def show(self, *numbers):
        for n in numbers:
            self.script.put(Picture(PICTURES[n % 8], 1000 + n / 25))


@contextmanager
def live(camera, *, connect=None, retry_s=5.0, uri="udp://fake", motion="recode", room=None, **keywords):
    source = source_from_uri(uri)
    camera.show(0)
    coming = camera.pictures()
    first = next(coming)
    maker = FrameMaker(uri, camera, first, motion=motion, size=None, recode_scale=1.0, live=True)
    refuse = connect or (lambda: (_ for _ in ()).throw(SourceError("refused")))
    opened = FrameSource(source, camera, maker, itertools.chain([first], coming), connect=refuse)
    reader = VideoReader(opened, Live(opened, room or NewestRoom(uri, None), retry_s=retry_s, **keywords))
    try:
        yield reader
    finally:
        camera.script.put(None)
        reader.close()


def settle(reader, index):
    """Wait until the thread has followed the picture with this index."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with reader._delivery._news:
            if (newest := reader._delivery._room.newest) is not None and newest.rest.index >= index:
                return
        time.sleep(0.005)
    raise AssertionError(f"picture {index} was never followed")


def test_the_newest_frame_wins_and_brings_the_motion_of_the_dropped_ones():
    camera = Camera()
    with live(camera) as reader:
        chain = MotionChain(reader.height, reader.width)
        assert chain.follow(next(reader))[0] is Branch.HR
        camera.show(1, 2, 3, 4)
        settle(reader, 4)
        frame = next(reader)
        assert (frame.index, len(frame.missed)) == (4, 3)
        branch, field = chain.follow(frame)
        assert branch is Branch.LR
        middle = field.flow[12:-12, 12:-12].reshape(-1, 2)
        assert np.median(middle, axis=0).tolist() == [-12, -8]
        camera.show(5)
        assert (next(reader).missed, chain.policy.interval) == ((), 12)


def test_every_frame_is_delivered_at_most_once():
    camera = Camera()
    with live(camera) as reader:
        next(reader)
        threading.Timer(0.2, camera.show, (1,)).start()
        assert next(reader).index == 1  # waited for


def test_a_consumer_that_sleeps_does_not_fill_the_memory():
    camera = Camera()
    with live(camera, motion="zero") as reader:
        next(reader)
        camera.show(*range(1, MISSED_LIMIT + 20))
        settle(reader, MISSED_LIMIT + 19)
        frame = next(reader)
    assert frame.index == MISSED_LIMIT + 19
    assert any(vectors is None for vectors in frame.missed)  # the chain is broken, and says so
    assert len(frame.missed) <= MISSED_LIMIT


def test_times_start_at_zero_and_never_go_back():
    camera, again = Camera(), Camera()
    with live(camera, connect=lambda: again) as reader:
        times = [next(reader).time_s]
        camera.show(1)
        times.append(next(reader).time_s)
        camera.script.put(None)
        again.script.put(Picture(PICTURES[2], 7.0))
        times.append(next(reader).time_s)
        again.script.put(Picture(PICTURES[3], 7.04))
        times.append(next(reader).time_s)
        again.script.put(None)
    assert times[:2] == pytest.approx([0, 0.04])
    assert 0.25 <= times[2] - times[1] < 5  # the pause before opening again
    assert times[3] - times[2] == pytest.approx(0.04)


@pytest.mark.parametrize("what", [None, SourceError("no data arrived in time")])
def test_a_stream_that_stops_is_opened_again_and_a_keyframe_follows(what):
    camera, again = Camera(), Camera()
    with live(camera, connect=lambda: again) as reader:
        chain = MotionChain(reader.height, reader.width)
        chain.follow(next(reader))
        camera.show(1)
        assert chain.follow(next(reader))[0] is Branch.LR
        camera.script.put(what)
        again.show(2)
        frame = next(reader)
        assert camera.closed
        assert (frame.index, frame.vectors) == (2, None)
        assert chain.follow(frame)[0] is Branch.HR
        again.show(3)
        assert chain.follow(next(reader))[0] is Branch.LR
        again.script.put(None)


@pytest.mark.timed
def test_it_is_tried_again_until_the_time_is_up():
    camera, tried = Camera(), []

    def connect():
        tried.append(time.monotonic())
        raise SourceError("nobody listens")

    with live(camera, connect=connect, retry_s=1.2) as reader:
        next(reader)
        camera.script.put(None)
        start = time.monotonic()
        with pytest.raises(SourceError, match=r"no frame for 1 s.*last fault: nobody listens"):
            next(reader)
        assert 1.0 < time.monotonic() - start < 4
        with pytest.raises(SourceError):  # and stays so
            next(reader)
    assert 2 <= len(tried) <= 4
    assert tried[1] - tried[0] > 0.45  # the pause grows


def test_the_pause_before_the_next_try_is_a_second_at_most(monkeypatch):
    assert LONGEST_PAUSE_S == 1.0
    monkeypatch.setattr("edge_arseg.video.sources.live.LONGEST_PAUSE_S", 0.25)
    camera, tried = Camera(), []

    def connect():
        tried.append(time.monotonic())
        raise SourceError("nobody listens")

    with live(camera, connect=connect, retry_s=1.1) as reader:
        next(reader)
        camera.script.put(None)
        with pytest.raises(SourceError, match="no frame for 1 s"):
            next(reader)
    assert 3 <= len(tried) <= 5  # with pauses that double: 2 or 3
    assert 0.2 < tried[2] - tried[1] < 0.45


def test_a_long_outage_fills_no_log(monkeypatch, caplog):
    monkeypatch.setattr("edge_arseg.video.sources.live.LONGEST_PAUSE_S", 0.01)
    camera, tries = Camera(), itertools.count(1)

    def connect():
        raise SourceError(f"nobody listens, said {next(tries)} times")

    with live(camera, connect=connect, retry_s=0.8) as reader:
        next(reader)
        camera.script.put(None)
        with pytest.raises(SourceError, match="nobody listens, said"):
            next(reader)
    assert next(tries) > 5
    assert caplog.text.count("opening it again in") == 2  # the stream ended; nobody listens


@pytest.mark.timed
def test_an_unplugged_camera_is_told_at_once():
    camera = Camera()
    with live(camera, uri="/dev/video98", retry_s=60) as reader:
        next(reader)
        camera.script.put(SourceError("no such device"))
        start = time.monotonic()
        with pytest.raises(SourceError, match="the camera is gone: there is no /dev/video98 any more"):
            next(reader)
        assert time.monotonic() - start < 2


def test_frames_that_arrived_are_delivered_before_the_error():
    camera = Camera()
    with live(camera, uri="/dev/video98") as reader:
        next(reader)
        camera.show(1)
        camera.script.put(SourceError("no such device"))
        reader._delivery._thread.join(10)
        assert next(reader).index == 1
        with pytest.raises(SourceError):
            next(reader)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_thread_does_not_hang_the_consumer():
    camera = Camera()
    with live(camera) as reader:
        next(reader)
        camera.script.put(ZeroDivisionError("bug"))
        with pytest.raises(SourceError, match=r"reading failed: ZeroDivisionError"):
            next(reader)


def test_a_driver_that_hangs_is_told_and_the_consumer_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr("edge_arseg.video.sources.live._LOOK_S", 0.05)
    camera = Camera()
    with live(camera, retry_s=0.5, stuck_s=0.5, uri="v4l2:///dev/null") as reader:
        next(reader)
        with pytest.raises(SourceError, match="no frame for 1 s, and reading it does not come back"):
            next(reader)
        camera.show(1)  # it was no more than slow
        assert next(reader).index == 1


def test_who_waits_without_an_end_for_a_driver_that_hangs_is_told(monkeypatch):
    monkeypatch.setattr("edge_arseg.video.sources.live._LOOK_S", 0.05)
    monkeypatch.setattr("edge_arseg.video.sources.live.SAY_EVERY_S", 0.2)
    camera, lines = Camera(), []

    def told(form, *values):
        lines.append(form % values)
        camera.show(1)

    monkeypatch.setattr("edge_arseg.video.sources.live._log.warning", told)
    with live(camera, retry_s=math.inf, uri="v4l2:///dev/null") as reader:
        next(reader)
        assert next(reader).index == 1
    assert len(lines) == 1
    assert " s, and no fault; the driver or the network may hang: connect the camera again; waiting for it" in lines[0]


def test_closing_wakes_a_waiting_consumer():
    camera = Camera()
    with live(camera) as reader:
        next(reader)
        closer = threading.Timer(0.2, lambda: (camera.script.put(None), reader.close()))
        closer.start()
        assert list(reader) == []
        closer.join()
    assert not reader._delivery._thread.is_alive()
    assert camera.closed


def listening(url, **options):
    listen = {"rtsp_flags": "listen", "listen_timeout": "5"}
    return open_video(url, options=listen, timeout_s=(15, 1), **options)


@pytest.mark.timed
def test_rtsp_frames_arrive_and_stop_being_waited_for():
    with served() as (url, _), listening(url) as reader:
        frames = list(itertools.islice(reader, 12))
        assert reader.live
        assert (reader.height, reader.width) == (144, 192)
    assert all(a.index < b.index and a.time_s < b.time_s for a, b in itertools.pairwise(frames))


def test_a_killed_rtsp_server_is_waited_for_and_its_successor_read():
    with served() as (url, servers), listening(url, retry_s=20) as reader:
        last = list(itertools.islice(reader, 5))[-1]
        servers[0].kill()
        servers.append(run(SERVER, url, 10_000))
        frame = next(frame for frame in reader if any(v is None for v in (*frame.missed, frame.vectors)))
    assert frame.index > last.index
    assert frame.time_s > last.time_s


@pytest.mark.slow
@pytest.mark.timed
def test_a_stalled_rtsp_server_ends_in_an_error_in_bounded_time():
    with served() as (url, servers), listening(url, retry_s=2) as reader:
        next(reader)
        servers[0].send_signal(signal.SIGSTOP)
        start = time.monotonic()
        with pytest.raises(SourceError, match=r"no frame for .* s, and opening it again did not help"):
            for _ in reader:
                pass
        assert time.monotonic() - start < 30
