"""What sinks write into pipes: whoever reads them slowly, late or never."""

import fcntl
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import pytest
from support.children import Child
from support.clips.results import SIZE, opened, result_at
from support.clips.rtsp_server import free_port

from edge_arseg.errors import SinkError
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.sinks import plan_sinks

NOBODY_YET = """
import sys, threading, time
import numpy as np
from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.sinks import open_sink

def tell():
    while True:
        print("lives", flush=True)
        time.sleep(0.05)

threading.Thread(target=tell, daemon=True).start()
frame = Frame(0, 0.0, np.zeros((48, 64, 3), np.uint8))
with open_sink(sys.argv[1], size=(48, 64), rate=15.0, classes=CAMVID_11) as sink:
    sink.write(SegmentedFrame(frame, np.zeros((48, 64), np.uint8), Branch.HR, 0, 1.0))
print("written", flush=True)
"""


def small_pipe(path):
    """A pipe with room for one page, and its reader, who does not read."""
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    return reader


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def ended(threads, files):
    """Wait until what was left behind has noticed that its reader is gone, and has let go."""
    end = time.monotonic() + 20
    while threading.active_count() > threads or open_files() > files:  # fewer: what was there before has ended
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.mov", "a.m4v", "a.webm", "a.gif"])
def test_an_overlay_reaches_the_reader_of_a_pipe_whole(tmp_path, name):
    path = tmp_path / name
    os.mkfifo(path)
    received = bytearray()
    reader = threading.Thread(target=lambda: received.extend(path.read_bytes()))
    reader.start()
    with opened(path) as sink:
        for index in range(20):
            sink.write(result_at(index))
    reader.join()
    (tmp_path / "copy").write_bytes(received)
    with av.open(str(tmp_path / "copy")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20


def test_a_pipe_that_nobody_reads_yet_stops_nothing_else(tmp_path):
    pipe = tmp_path / "live.mkv"
    os.mkfifo(pipe)
    command = [sys.executable, "-c", NOBODY_YET, pipe]
    with Child(command, limit_s=30, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(20)]  # of a second
        assert set(lines) == {"lives\n"}
        assert pipe.read_bytes()
        assert "written\n" in process.stdout.read()


def test_a_reader_who_stops_holds_up_neither_a_live_source_nor_the_end_of_its_run(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("edge_arseg.video.sinks.movies.movie.CLOSE_S", 0.2)
    threads, files = threading.active_count(), open_files()
    reader = small_pipe(tmp_path / "live.mkv")
    gone = threading.Timer(10, os.close, [reader])
    gone.start()
    (sink,) = plan_sinks([str(tmp_path / "live.mkv")]).open(size=SIZE, rate=25.0, classes=CAMVID_11, live=True)
    longest = 0.0
    for index in range(100):
        start = time.monotonic()
        sink.offer(result_at(index, time_s=index / 25))
        longest = max(longest, time.monotonic() - start)
        time.sleep(0.005)
    dropped = sink.dropped
    assert longest < 1
    assert dropped > 50
    sink.close()
    assert gone.is_alive()
    assert "live.mkv: nobody takes what is written; gave up" in caplog.text
    assert sink.dropped > dropped  # what waited is lost, too
    gone.cancel()
    os.close(reader)
    ended(threads, files)


@pytest.mark.parametrize("others", [0, 1100])
def test_a_pipe_that_was_told_not_to_wait_is_waited_for_without_work(tmp_path, others):
    """However many files are open: `select` takes no descriptor from 1024 on."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= others + 200:
        pytest.skip("no process here may have so many files")
    ours, theirs = os.pipe()
    taken = [os.dup(ours) for _ in range(others)]
    os.set_blocking(theirs, False)
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    worked_s, received = [], bytearray()

    def write():
        start = time.thread_time()
        with opened(f"raw:///dev/fd/{theirs}") as sink:
            for index in range(10):
                sink.write(result_at(index))
        worked_s.append(time.thread_time() - start)
        os.close(theirs)

    writer = threading.Thread(target=write)
    writer.start()
    writer.join(0.7)
    assert writer.is_alive()
    while part := os.read(ours, 1 << 16):
        received.extend(part)
    writer.join()
    os.close(ours)
    assert bytes(received) == b"".join(result_at(index).class_map.tobytes() for index in range(10))
    assert worked_s[0] < 0.2
    for descriptor in taken:
        os.close(descriptor)


def test_results_that_wait_when_the_end_is_given_up_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("edge_arseg.video.sinks.streams.queued.CLOSE_S", 0.2)
    threads, files = threading.active_count(), open_files()
    reader = small_pipe(tmp_path / "pipe")
    (sink,) = plan_sinks([f"raw://{tmp_path}/pipe"]).open(size=SIZE, rate=25.0, classes=CAMVID_11, live=True)
    offered = 0
    while not sink.busy:
        sink.offer(result_at(offered))
        offered += 1
        time.sleep(0.02)
    written = offered - 3  # one is being written, two wait
    sink.close()
    assert sink.dropped == offered - written
    os.close(reader)
    ended(threads, files)


def test_many_readers_who_stopped_long_ago_do_not_add_up_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr("edge_arseg.video.sinks.streams.queued.CLOSE_S", 0.5)
    monkeypatch.setattr("edge_arseg.video.sinks.movies.movie.CLOSE_S", 0.5)
    threads, files = threading.active_count(), open_files()
    names = ("a.raw", "b.raw", "c.mkv", "d.mkv")
    readers = [small_pipe(tmp_path / name) for name in names]
    places = [f"{'raw://' if name.endswith('raw') else ''}{tmp_path / name}" for name in names]
    sinks = plan_sinks(places).open(size=SIZE, rate=25.0, classes=CAMVID_11, live=True)
    index = 0
    while not all(sink.busy for sink in sinks):
        for sink in sinks:
            sink.offer(result_at(index, time_s=index / 25))
        index += 1
        time.sleep(0.01)
    time.sleep(0.5)
    start = time.monotonic()
    for sink in sinks:
        sink.close()
    assert time.monotonic() - start < 1.0
    for reader in readers:
        os.close(reader)
    ended(threads, files)


def test_a_server_that_is_not_there_is_told_once_where_a_file_is_sent(monkeypatch, caplog):
    monkeypatch.setattr("edge_arseg.video.sinks.streams.push._PATIENCE_S", 1.0)
    monkeypatch.setattr("edge_arseg.video.sinks.streams.push.CLOSE_S", 0.1)
    sink = opened(f"tcp://127.0.0.1:{free_port()}")
    sink.write(result_at(0))
    with pytest.raises(SinkError, match=r"nobody took it( for 1 s)?; check host and port"):
        sink.close()
    assert caplog.text.count("the stream is not taken") == 1
    assert "gave up" not in caplog.text
