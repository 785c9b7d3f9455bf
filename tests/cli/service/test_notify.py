"""What a service manager hears, over a real datagram socket."""

import socket
import threading
import time
from queue import SimpleQueue

import pytest
from support.clips.moving import chainable

from edge_arseg.cli.service.notify import Heart
from edge_arseg.video.sinks.null import NullSink

MORE_TIME = "EXTEND_TIMEOUT_USEC=10000000"
STREET = "test://street?size=48x64&frames=12&rate=30"


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """The socket of a service manager with a watchdog of 0.4 s."""
    path = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    words = SimpleQueue()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(path)

        def hear():
            while word := ear.recv(4096).decode():
                words.put(word)

        thread = threading.Thread(target=hear)
        thread.start()
        yield words
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
            mouth.sendto(b"", path)
        thread.join()


def heard(words):
    time.sleep(0.05)
    return [words.get() for _ in range(words.qsize())]


def test_a_run_is_ready_tells_how_it_goes_beats_and_stops(run, manager):
    assert run(STREET, "null://", "--realtime", "--on-late", "block").code == 0
    words = heard(manager)
    told = [word for word in words if word != "WATCHDOG=1"]
    assert told[0] == "READY=1"
    assert told[1].startswith("STATUS=frame 0, ")
    assert told[-1] == "STOPPING=1"
    assert words.count("WATCHDOG=1") >= 2


def test_many_videos_are_a_service_too(run, manager, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        chainable(tmp_path / name, 5)
    assert run(tmp_path, f"jsonl://{tmp_path}/out/{{stem}}.jsonl", "--processes", 1).code == 0
    told = [word for word in heard(manager) if word != "WATCHDOG=1"]
    assert told == ["READY=1", "STATUS=2 videos", "STOPPING=1"]


def test_a_run_that_hangs_beats_no_more_and_one_that_waits_for_its_source_does(manager):
    with Heart() as heart:
        heart.ready()
        heart.waiting(True)
        time.sleep(0.6)
        assert heard(manager).count("WATCHDOG=1") >= 3
        heart.waiting(False)  # an engine works on a frame, for ever
        time.sleep(0.4)
        heard(manager)
        time.sleep(0.5)
        assert heard(manager) == []
    assert heard(manager) == ["STOPPING=1"]


def test_an_abstract_socket_is_one_too_and_without_any_nothing_is_done(monkeypatch):
    name = f"edge-arseg-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + name)
        ear.settimeout(0.0)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        with Heart() as heart:
            heart.ready()
        assert [ear.recv(99), ear.recv(99)] == [b"READY=1", b"STOPPING=1"]
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/notify")
    with Heart() as heart:
        heart.ready()
    monkeypatch.delenv("NOTIFY_SOCKET")
    with Heart() as heart:
        heart.say("x")


def test_the_watchdog_of_another_process_is_not_ours(manager, monkeypatch):
    monkeypatch.setenv("WATCHDOG_PID", "1")
    with Heart() as heart:
        heart.ready()
        time.sleep(0.3)
    assert heard(manager) == ["READY=1", "STOPPING=1"]


def test_a_sink_that_takes_long_to_close_is_no_run_that_hangs(run, manager, monkeypatch):
    """The watchdog ended the process in the middle of it, and the file was lost."""

    class Slow(NullSink):
        def _close(self):
            heard(manager)
            time.sleep(0.8)
            manager.put("closed")

    monkeypatch.setattr("edge_arseg.video.sinks.kinds.NullSink", Slow)
    assert run(STREET, "null://").code == 0
    words = heard(manager)
    before = words[: words.index("closed")]
    assert before.count("WATCHDOG=1") >= 4
    assert before.count(MORE_TIME) >= 4  # its limit for stopping ended the process too


def test_more_time_to_close_is_asked_for_without_a_watchdog_and_not_for_ever(manager, monkeypatch):
    monkeypatch.delenv("WATCHDOG_USEC")
    monkeypatch.setattr("edge_arseg.cli.service.notify._TOLD_EVERY_S", 0.05)
    monkeypatch.setattr("edge_arseg.cli.service.notify._CLOSING_S", 0.5)
    with Heart() as heart:
        heart.ready()
        time.sleep(0.2)
        assert heard(manager) == ["READY=1"]
        heart.ending()
        time.sleep(0.3)
        assert set(asked := heard(manager)) == {MORE_TIME}
        assert len(asked) >= 3
        time.sleep(0.5)  # a disk that is gone for good
        heard(manager)
        time.sleep(0.3)
        assert heard(manager) == []
    assert heard(manager) == ["STOPPING=1"]
