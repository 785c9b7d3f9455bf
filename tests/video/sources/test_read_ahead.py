import gc
import itertools
import os
import queue
import signal
import threading
import time
from contextlib import contextmanager

import av
import numpy as np
import pytest
from support.clips.moving import SHARED, chainable, encode, moving

from edge_arseg.errors import SourceError
from edge_arseg.video import open_video, source_from_uri
from edge_arseg.video.decoding.picture import Picture
from edge_arseg.video.delivery.options import LiveOptions
from edge_arseg.video.frame_source import FrameSource
from edge_arseg.video.frames import FrameMaker
from edge_arseg.video.reader import VideoReader
from edge_arseg.video.sources import read_ahead
from edge_arseg.video.sources.read_ahead import ReadAhead

PICTURES = [av.VideoFrame.from_ndarray(rgb, format="rgb24") for rgb in moving(8)]


class Script:
    """Pictures when the test says so: put a number, an error to raise, or ``None`` to end."""

    rate, frame_count, unfit, made_by_x264 = 25.0, None, "a fake", False

    def __init__(self):
        self.script = queue.Queue()
        self.taken = 0
        self.closed = threading.Event()

    def pictures(self):
        while (what := self.script.get(timeout=30)) is not None:
            if isinstance(what, BaseException):
                raise what
            self.taken += 1
            yield Picture(PICTURES[what % 8], what / 25)

    def close(self):
        self.closed.set()


@contextmanager
def reading(*script, ahead=1):
    source = Script()
    for what in script:
        source.script.put(what)
    coming = source.pictures()
    first = next(coming)
    maker = FrameMaker("a.mp4", source, first, motion="zero", size=None, recode_scale=1.0, buffers=ahead + 2)
    coming = itertools.chain([first], coming)
    opened = FrameSource(source_from_uri("a.mp4"), source, maker, coming, connect=Script)
    reader = VideoReader(opened, ReadAhead(opened, ahead=ahead))
    try:
        yield reader, source
    finally:
        source.script.put(None)
        reader.close()


@pytest.mark.parametrize("options", [{}, {"size": (90, 122)}, {"motion": "zero"}])
@pytest.mark.parametrize("rotation", [None, 90])
def test_frames_are_those_that_come_without_it(tmp_path, options, rotation):
    path = chainable(tmp_path / "a.mp4", 20, rotation=rotation)
    with open_video(path, **options) as reader:
        wanted = list(reader)
    for ahead in (0, 1, 2, 5):
        with open_video(path, ahead=ahead, **options) as reader:
            for frame, other in itertools.zip_longest(reader, wanted):
                assert (frame.index, frame.time_s, frame.source) == (other.index, other.time_s, other.source)
                assert np.array_equal(frame.rgb, other.rgb)
                assert (frame.vectors is None) == (other.vectors is None)
                assert frame.vectors is None or np.array_equal(frame.vectors, other.vectors)


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_arrays_are_reused_and_keep_until_the_next_is_asked_for(tmp_path, ahead):
    path = chainable(tmp_path / "a.mp4", 30)
    seen = set()
    with open_video(path, ahead=ahead) as reader, open_video(path) as slow:
        for frame, other in zip(reader, slow, strict=True):
            time.sleep(0.01)  # the thread would overwrite it now
            assert np.array_equal(frame.rgb, other.rgb)
            seen.add(frame.rgb.ctypes.data)
    assert len(seen) == (ahead + 2 if ahead else 1)


def test_without_it_every_frame_has_an_array_of_its_own(tmp_path):
    with open_video(chainable(tmp_path / "a.mp4", 5)) as reader:
        frames = list(reader)
    assert len({frame.rgb.ctypes.data for frame in frames}) == 5


@pytest.mark.parametrize("ahead", [1, 2])
def test_it_reads_as_far_as_it_was_told(ahead):
    with reading(*range(20), ahead=ahead) as (reader, source):
        next(reader)
        end = time.monotonic() + 5
        while source.taken < ahead + 2 and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.1)
        assert source.taken == ahead + 2  # one delivered, the waiting ones, and one in the making


def test_what_goes_wrong_comes_behind_the_frames_before_it_and_again():
    with reading(0, 1, SourceError("broken")) as (reader, source):
        assert [next(reader).index for _ in range(2)] == [0, 1]
        for _ in range(2):
            with pytest.raises(SourceError, match="broken"):
                next(reader)
        assert source.closed.is_set()


@pytest.mark.parametrize("bug", [ZeroDivisionError("bug"), MemoryError()])
def test_a_bug_in_the_thread_is_raised_as_it_is(bug):
    with reading(0, bug) as (reader, _):
        next(reader)
        with pytest.raises(type(bug)):
            next(reader)


def test_closing_ends_the_iteration_and_the_thread():
    with reading(*range(20)) as (reader, source):
        next(reader)
        reader.close()
        reader.close()
        assert list(reader) == []
        assert not reader._delivery._thread.is_alive()
        assert source.closed.is_set()


def test_closing_wakes_a_waiting_consumer():
    with reading(0) as (reader, source):
        next(reader)
        closer = threading.Timer(0.2, lambda: (source.script.put(None), reader.close()))
        closer.start()
        assert list(reader) == []
        closer.join()


@pytest.mark.timed
def test_closing_does_not_wait_forever_for_a_read_that_hangs(monkeypatch):
    monkeypatch.setattr(read_ahead, "CLOSE_S", 0.2)
    with reading(0) as (reader, source):
        next(reader)
        start = time.monotonic()
        reader.close()
        assert time.monotonic() - start < 2
        assert not source.closed.is_set()
        source.script.put(None)
        assert source.closed.wait(5)  # by itself, once the read returns


def test_an_interrupt_reaches_a_waiting_consumer():
    with reading(0) as (reader, _):
        next(reader)
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            next(reader)


def test_a_cut_off_file_gives_its_sound_frames_first(tmp_path):
    whole = encode(tmp_path / "whole.ts", moving(40, step=(7, 5)), bf=0, refs=1)
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.6)])

    def count(**options):
        frames = 0
        with open_video(cut, **options) as reader:
            try:
                for _ in reader:
                    frames += 1
            except SourceError:
                return frames, "error"
        return frames, "end"

    assert count(ahead=1) == count()


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared clips")
def test_real_footage_is_the_same(tmp_path):
    clip = SHARED / "clips/highway_960x540.mp4"
    with open_video(clip, size=(270, 480)) as slow, open_video(clip, size=(270, 480), ahead=1) as fast:
        for frame, other in itertools.islice(zip(slow, fast, strict=True), 40):
            assert np.array_equal(frame.rgb, other.rgb)
            assert frame.vectors is None or np.array_equal(frame.vectors, other.vectors)


@pytest.mark.parametrize("live", [{}, {"live": LiveOptions(realtime=True)}])
def test_the_thread_of_a_reader_that_is_dropped_ends(tmp_path, live):
    """It waited for somebody to take a frame as long as the program ran, with the file open."""
    path = chainable(tmp_path / "a.mp4", 20)
    reader = open_video(path, ahead=1, **live)
    frame = next(reader)
    readers = [thread for thread in threading.enumerate() if thread.name == f"reader of {path}"]
    assert readers
    del reader
    gc.collect()
    for thread in readers:
        thread.join(10)
        assert not thread.is_alive()
    assert frame.index == 0
    assert not any(path.samefile(f"/proc/self/fd/{number}") for number in open_files())


def open_files():
    return [number for number in os.listdir("/proc/self/fd") if os.path.isfile(f"/proc/self/fd/{number}")]  # noqa: PTH208, PTH113
