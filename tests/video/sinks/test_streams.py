"""What is sent or handed out while a run goes on, and that none of it holds up a live source."""

import os
import re
import resource
import socket
import threading
import time
from contextlib import contextmanager

import av
import pytest
from support.clips.push_server import PushServer
from support.clips.results import SIZE, decoded, opened, result_at
from support.clips.rtsp_server import free_port, missing

from edge_arseg.errors import SinkError
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.sinks import plan_sinks

needs_server = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def live(uri, **keywords):
    (sink,) = plan_sinks([str(uri)], **keywords).open(size=SIZE, rate=25.0, classes=CAMVID_11, live=True)
    return sink


def offered(sink, count, *, first=0, pause_s=0.0):
    longest = 0.0
    for index in range(first, first + count):
        start = time.monotonic()
        sink.offer(result_at(index, time_s=index / 25))
        longest = max(longest, time.monotonic() - start)
        time.sleep(pause_s)
    return longest


def test_a_pipe_that_nobody_reads_any_more_does_not_hold_up_a_live_source_and_what_it_misses_is_counted(
    tmp_path, caplog
):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    sink = live(f"raw://{pipe}")
    longest = offered(sink, 200)  # 600 kB, and a pipe holds 64
    assert longest < 0.5
    assert 150 < sink.dropped < 200
    waits = threading.Timer(0.2, os.read, (reader, 1 << 20))
    waits.start()
    sink.close()
    waits.join()
    os.close(reader)


def test_masks_reach_a_reader_of_a_pipe_whole_and_in_order(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received = bytearray()

    def read():
        with pipe.open("rb") as file:
            while part := file.read(1 << 16):
                received.extend(part)

    thread = threading.Thread(target=read)
    thread.start()
    sink = live(f"raw://{pipe}")
    for index in range(30):
        while sink.busy:
            time.sleep(0.001)
        sink.offer(result_at(index))
    sink.close()
    thread.join()
    assert sink.dropped == 0
    assert bytes(received) == b"".join(result_at(index).class_map.tobytes() for index in range(30))


def test_a_file_is_never_told_to_drop(tmp_path):
    (sink,) = plan_sinks([str(tmp_path / "lines.jsonl").join(["jsonl://", ""])]).open(
        size=SIZE, rate=25.0, classes=CAMVID_11
    )
    with sink:
        for index in range(300):
            sink.write(result_at(index))
    assert sink.dropped == 0
    assert len((tmp_path / "lines.jsonl").read_text().splitlines()) == 300


def test_an_error_of_the_thread_ends_the_run(tmp_path):
    full = live("jsonl:///dev/full")
    with pytest.raises(SinkError, match="disk is full"):
        offered(full, 100, pause_s=0.01)
    full.close()


@pytest.mark.parametrize(("beside", "segments"), [("file", 5), ("live", 5)])
def test_a_folder_for_hls_plays_from_its_playlist(tmp_path, beside, segments):
    folder = tmp_path / "web"
    sink = opened(f"hls://{folder}", rate=25.0) if beside == "file" else live(f"hls://{folder}")
    with sink:
        for index in range(225):
            while sink.busy:
                time.sleep(0.001)
            sink.offer(result_at(index, time_s=index / 25))
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"{number:06d}.ts" for number in range(segments)] + ["live.m3u8"]
    pictures = decoded(folder / "live.m3u8")
    assert len(pictures) == 225
    assert [round(25 * (picture.time - pictures[0].time)) for picture in pictures] == list(range(225))
    assert (folder / "live.m3u8").read_text().endswith("#EXT-X-ENDLIST\n")
    with pytest.raises(SinkError, match=r"000000.ts is in it already; type --force"):
        plan_sinks([f"hls://{folder}"])


@contextmanager
def largest_file(size):
    """No file may grow beyond ``size`` bytes: a fault that FFmpeg's HLS muxer does not tell of, as of a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_segment_that_cannot_be_written_is_told_and_not_named(tmp_path):
    folder = tmp_path / "web"
    with pytest.raises(SinkError, match="may not grow further"), opened(f"hls://{folder}", rate=25.0) as sink:  # noqa: PT012
        for index in range(110):
            sink.write(result_at(index, time_s=index / 25))
        while not (folder / "000001.ts").exists():  # it is encoded in a thread
            time.sleep(0.01)
        with largest_file(20_000):
            for index in range(110, 225):
                sink.write(result_at(index, time_s=index / 25))
    assert sorted(path.name for path in folder.iterdir()) == ["000000.ts", "000001.ts", "live.m3u8"]
    playlist = (folder / "live.m3u8").read_text()
    seconds = sum(map(float, re.findall("#EXTINF:(.*),", playlist)))
    assert len(decoded(folder / "live.m3u8")) == pytest.approx(25 * seconds)
    assert playlist.endswith("#EXT-X-ENDLIST\n")


def test_force_removes_an_older_playlist_and_nothing_else(tmp_path):
    folder = tmp_path / "web"
    with opened(f"hls://{folder}", rate=25.0) as sink:
        for index in range(225):
            sink.write(result_at(index, time_s=index / 25))
    (folder / "index.html").write_text("mine")
    with opened(f"hls://{folder}", rate=25.0, force=True) as sink:
        sink.write(result_at(0))
    assert sorted(path.name for path in folder.iterdir()) == ["000000.ts", "index.html", "live.m3u8"]


def test_a_player_on_udp_sees_the_overlay():
    port, pictures = free_port(), []

    def watch():
        with av.open(f"udp://127.0.0.1:{port}?timeout=5000000", format="mpegts") as stream:
            for picture in stream.decode(video=0):
                pictures.append(picture)
                if len(pictures) == 25:
                    return

    player = threading.Thread(target=watch)
    player.start()
    with live(f"udp://127.0.0.1:{port}") as sink:
        index = 0
        while player.is_alive() and index < 500:
            offered(sink, 1, first=index, pause_s=0.01)
            index += 1
    player.join()
    assert len(pictures) == 25
    assert len({(picture.height, picture.width) for picture in pictures}) == 1
    times = [picture.time for picture in pictures]
    assert times == sorted(set(times))


def write_all(sink, count):
    for index in range(count):
        sink.write(result_at(index))


def offered_until(sink, path, index):
    """Offer until the server has taken so much that it can be played."""
    end = time.monotonic() + 10
    while (not path.exists() or path.stat().st_size < 10_000) and time.monotonic() < end:
        offered(sink, 1, first=index, pause_s=0.02)
        index += 1
    return index


@needs_server
def test_a_stream_is_pushed_to_an_rtsp_server_and_again_when_the_server_is_back(tmp_path, caplog):
    server = PushServer()
    server.start(tmp_path / "first.mkv")
    with live(server.url) as sink:
        index = offered_until(sink, tmp_path / "first.mkv", 0)
        server.kill()
        lost = sink.dropped
        assert offered(sink, 50, first=index, pause_s=0.02) < 0.3
        server.start(tmp_path / "second.mkv")
        back = time.monotonic()
        index = offered_until(sink, tmp_path / "second.mkv", index + 50)
        assert time.monotonic() - back < 4
        assert index - lost - sink.dropped > 20
    server.kill()
    assert sink.dropped > lost + 20
    assert len(decoded(tmp_path / "first.mkv")) > 10
    assert len(decoded(tmp_path / "second.mkv")) > 10
    assert caplog.text.count("the stream is not taken") >= 1
    assert caplog.text.count("back after") >= 1


def test_a_player_that_listens_gets_every_picture_of_a_file():
    port, pictures = free_port(), []

    def watch():
        with av.open(f"tcp://127.0.0.1:{port}?listen=1&listen_timeout=8000", format="mpegts") as stream:
            pictures.extend(stream.decode(video=0))

    player = threading.Thread(target=watch)
    player.start()
    with opened(f"tcp://127.0.0.1:{port}", rate=25.0) as sink:
        for index in range(60):
            sink.write(result_at(index, time_s=index / 25))
    player.join()
    assert sink.dropped == 0
    assert [round(25 * (picture.time - pictures[0].time)) for picture in pictures] == list(range(60))


@pytest.mark.timed
def test_nobody_there_ends_the_run_of_a_file_and_not_that_of_a_camera(monkeypatch, caplog):
    monkeypatch.setattr("edge_arseg.video.sinks.streams.push._PATIENCE_S", 0.6)
    uri = f"tcp://user:secret@127.0.0.1:{free_port()}"
    sink = opened(uri)
    with pytest.raises(SinkError, match=r"tcp://\*\*\*@127.0.0.1:\d+: nobody took it for 1 s") as raised:
        write_all(sink, 100)
    sink.close()
    assert "secret" not in str(raised.value)
    with live(uri) as camera:
        assert offered(camera, 20, pause_s=0.01) < 0.2
    assert camera.dropped == 20
    assert "secret" not in caplog.text


@contextmanager
def frozen():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.timed
def test_a_server_that_takes_nothing_is_left_behind(monkeypatch, caplog):
    monkeypatch.setattr("edge_arseg.video.sinks.streams.connection.STUCK_S", 0.5)
    monkeypatch.setattr("edge_arseg.video.sinks.streams.push.CLOSE_S", 0.1)
    threads = threading.active_count()
    with frozen() as port:
        sink = live(f"rtsp://127.0.0.1:{port}/live")
        assert offered(sink, 100, pause_s=0.02) < 0.3
        assert 1 <= caplog.text.count("nothing was taken for") <= 4
        sink.close()
    assert threading.active_count() == threads
    assert sink.dropped == 100


def test_addresses_without_a_port_and_protocols_that_ffmpeg_lacks_are_told():
    for uri, told in (
        ("udp://host", "no port in it; expected for example udp://host:5000"),
        ("rtsp:///live", "no host in it; expected for example rtsp://host:8554/path"),
    ):
        with pytest.raises(SinkError, match=told):
            plan_sinks([uri])
    if "srt" not in protocols():
        sink = live("srt://127.0.0.1:9000")
        with pytest.raises(SinkError, match="does not speak this protocol; push to udp"):
            offered(sink, 300, pause_s=0.01)
        sink.close()


def protocols():
    try:
        av.open("srt://127.0.0.1:1?timeout=1000", timeout=0.1).close()
    except av.error.ProtocolNotFoundError:
        return ()
    except av.error.FFmpegError:
        pass
    return ("srt",)


def test_a_sink_is_not_the_source():
    with pytest.raises(SinkError, match="it is the source"):
        plan_sinks(["rtsp://host/live"], source="rtsp://host/live")
