"""Live sinks whose far end dies, again and again: nothing is left of them."""

import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from support.clips.push_server import PushServer
from support.clips.results import SIZE, result_at
from support.clips.rtsp_server import free_port, missing

from edge_arseg.errors import SinkError
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.sinks import plan_sinks

pytestmark = pytest.mark.slow

ROUNDS = 20
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


class Process:
    """A far end that is a process of its own."""

    process = None

    def kill(self):
        self.process.kill()
        self.process.wait()


class Player(Process):
    """Takes a stream and shows it nowhere; over TCP and RTMP it listens for one."""

    program = (
        "import av, sys\n"
        "url, container, listens = sys.argv[1:]\n"
        "with av.open(url, format=container, options={'listen': '1'} if listens else {}) as stream:\n"
        "    for picture in stream.decode(video=0): pass\n"
    )

    def __init__(self, scheme, container, path="", listens="1"):
        self.url = f"{scheme}://127.0.0.1:{free_port()}{path}"
        self.command = [sys.executable, "-c", self.program, self.url, container, listens]

    def start(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)


class Broker(Process):
    def __init__(self, folder):
        port = free_port()
        self.url, self.config = f"mqtt://127.0.0.1:{port}/cars", folder / "mosquitto.conf"
        self.config.write_text(f"listener {port} 127.0.0.1\npersistence false\nallow_anonymous true\nuser root\n")

    def start(self):
        self.process = subprocess.Popen([MOSQUITTO, "-c", str(self.config)], stderr=subprocess.DEVNULL)


class Server:
    def __init__(self, folder):
        self.server, self.folder = PushServer(), folder
        self.url = self.server.url

    def start(self):
        self.server.start(self.folder / "taken.mkv")

    def kill(self):
        self.server.kill()


class Folder:
    """A new one each time, that is removed while it is written to."""

    def __init__(self, folder, name):
        self.path, self.name = folder / "web", name
        self.url = name.format(self.path)

    def start(self):
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir()

    def kill(self):
        shutil.rmtree(self.path)


class Pipe:
    """Somebody opens a named pipe, and hangs up."""

    def __init__(self, folder):
        path = folder / "pipe"
        os.mkfifo(path)
        self.path, self.url = path, f"raw://{path}"

    def start(self):
        self.end = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def kill(self):
        os.close(self.end)


FAR_ENDS = {
    "rtsp": Server,
    "rtmp": lambda _: Player("rtmp", "flv", "/live/key"),
    "tcp": lambda _: Player("tcp", "mpegts"),
    "udp": lambda _: Player("udp", "mpegts", listens=""),
    "mqtt": Broker,
    "hls": lambda folder: Folder(folder, "hls://{}"),
    "masks": lambda folder: Folder(folder, "masks://{}"),
    "segments": lambda folder: Folder(folder, "{}/a.mp4"),
    "pipe": Pipe,
}


def held():
    """Threads, descriptors and child processes of this process."""
    children = 0
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended meanwhile
            children += len((task / "children").read_text().split())
    return threading.active_count(), len(os.listdir("/proc/self/fd")), children  # noqa: PTH208


def settled(most):
    """What is held; what is on its way to its end has 3 s."""
    end = time.monotonic() + 3
    while (found := held()) != most and time.monotonic() < end:
        time.sleep(0.02)
    return found


def offer(sink, count, first):
    for index in range(first, first + count):
        sink.offer(result_at(index, time_s=index / 25))
        time.sleep(0.01)


def one_round(far_end, segment_s):
    far_end.start()
    plan = plan_sinks([far_end.url], segment_s=segment_s, force=True)
    (sink,) = plan.open(size=SIZE, rate=25.0, classes=CAMVID_11, live=True)
    try:
        with suppress(SinkError):  # of what cannot come back
            offer(sink, 15, 0)
            far_end.kill()
            offer(sink, 10, 15)
    finally:
        with suppress(SinkError):
            sink.close()


@pytest.mark.parametrize("kind", FAR_ENDS)
def test_a_live_sink_whose_far_end_dies_20_times_leaves_nothing(kind, tmp_path, monkeypatch):
    if kind == "rtsp" and missing() is not None:
        pytest.skip(missing())
    if kind == "mqtt":
        pytest.importorskip("paho.mqtt.client", reason="pip install paho-mqtt")
        if MOSQUITTO is None:
            pytest.skip("apt install mosquitto")
    monkeypatch.setattr("edge_arseg.video.sinks.streams.push.CLOSE_S", 0.2)
    far_end = FAR_ENDS[kind](tmp_path)
    segment_s = 0.4 if kind == "segments" else None
    one_round(far_end, segment_s)
    before = settled(None)
    for _ in range(ROUNDS):
        one_round(far_end, segment_s)
    assert all(now <= limit for now, limit in zip(settled(before), before, strict=True)), (held(), before)
