"""MPEG-TS whose packets are taken for pictures: each comes out before the next is sent, and is the same."""

import io
import logging
import socket
import threading
import time
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from support.clips.live_server import free_port
from support.clips.lossy_sender import LossySender
from support.clips.moving import encode, moving
from support.clips.rtsp_server import RtspServer, missing

from edge_arseg import LiveOptions, open_video
from edge_arseg.video.decoding.whole_packets import is_one_picture

SIZE = (64, 96)
OPTIONS = {
    "libx264": {"tune": "zerolatency", "bf": "0", "refs": "1", "slices": "2"},
    "libx265": {"tune": "zerolatency", "x265-params": "bframes=0:ref=1:log-level=none"},
}
LOW = LiveOptions(on_late="block", low_latency=True)


def packets(codec="libx264", count=60, rate=25):
    """A stream as its encoder gives it, a packet for each picture."""
    context = av.CodecContext.create(codec, "w")
    context.height, context.width, context.pix_fmt, context.gop_size = *SIZE, "yuv420p", 10
    context.time_base, context.framerate, context.options = Fraction(1, rate), rate, OPTIONS[codec]
    made = []
    for n, rgb in enumerate(moving(count, height=SIZE[0], width=SIZE[1])):
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = n, Fraction(1, rate)
        made += context.encode(frame)
    return context, made + context.encode(None)


def muxed(stream, *, container="mpegts", together=1, **options):
    """What the muxer writes for each packet, ``together`` of them joined before."""
    context, made = stream
    file, chunks = io.BytesIO(), []
    output = av.open(file, "w", format=container, options={**options, "flush_packets": "1"})
    out = output.add_stream(context.name, 25)
    out.height, out.width, out.pix_fmt = *SIZE, "yuv420p"
    for at in range(0, len(made), together):
        packet = av.Packet(b"".join(bytes(one) for one in made[at : at + together]))
        packet.pts = packet.dts = at
        packet.time_base, packet.stream = Fraction(1, 25), out
        output.mux(packet)
        chunks.append(file.getvalue())
        file.seek(0)
        file.truncate()
    output.close()
    return chunks


class UdpSender:
    """Sends chunks to a port, one by one, as soon as somebody listens there."""

    def __init__(self, chunks):
        self.chunks, self.sent, self.port = chunks, 0, free_port()
        self.url = f"udp://127.0.0.1:{self.port}"
        self.way = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.opened = threading.Event()

    def send(self):
        data = self.chunks[self.sent % len(self.chunks)]
        for at in range(0, len(data), 7 * 188):
            self.way.sendto(data[at : at + 7 * 188], ("127.0.0.1", self.port))
        self.sent += 1

    def until_opened(self):
        while not self.opened.is_set() and not self.listened():
            time.sleep(0.01)
        self.until(self.opened)

    def until(self, event):
        while not event.wait(0.01):
            self.send()

    def listened(self):
        return f":{self.port:04X} " in Path("/proc/net/udp").read_text()

    @contextmanager
    def video(self, **options):
        """The open video; pictures were sent until it was."""
        thread = threading.Thread(target=self.until_opened)
        thread.start()
        try:
            reader = open_video(self.url, timeout_s=(8, 4), retry_s=1, **options)
        except BaseException:
            self.way.close()
            raise
        finally:
            self.opened.set()
            thread.join()
        closed = threading.Event()
        end = threading.Thread(target=self.until, args=(closed,))
        try:
            yield reader
        finally:
            end.start()  # a read that is under way ends sooner
            reader.close()
            closed.set()
            end.join()
            self.way.close()


class Collected:
    """The frames of a reader, as they come."""

    def __init__(self, reader):
        self.frames, self.reader = [], reader
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()

    def collect(self):
        for frame in self.reader:
            self.frames.append(frame)

    def settled(self, count):
        """Whether so many frames are there in time, and no more 30 ms later."""
        end = time.monotonic() + 3
        while len(self.frames) < count and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(0.03)
        return len(self.frames) == count


@pytest.mark.timed
@pytest.mark.parametrize(
    ("codec", "omitted", "low_latency", "held"),
    [
        ("libx264", "0", True, 0),
        ("libx264", "0", False, 1),
        # Without its length a packet ends where the next begins.
        pytest.param("libx264", "1", True, 1, marks=pytest.mark.slow),
        pytest.param("libx264", "1", False, 2, marks=pytest.mark.slow),
        ("libx265", "0", True, 0),
    ],
)
def test_each_picture_is_out_before_the_next_is_sent_and_is_the_same(tmp_path, codec, omitted, low_latency, held):
    chunks = muxed(packets(codec), omit_video_pes_length=omitted)
    motion = "codec" if codec == "libx264" else "recode"
    (tmp_path / "all.ts").write_bytes(b"".join(chunks))
    with open_video(tmp_path / "all.ts", motion=motion) as reader:
        expected = list(reader)
    sender = UdpSender(chunks)
    live = LiveOptions(on_late="block", low_latency=low_latency)
    with sender.video(motion=motion, live=live) as reader:
        collected = Collected(reader)
        assert sender.sent < 45
        while sender.sent < 55:
            assert collected.settled(sender.sent - held), (sender.sent, len(collected.frames))
            sender.send()
        frames = collected.frames[:50]
    assert sum(frame.intra for frame in frames) == 5
    for frame, same in zip(frames, expected, strict=False):
        assert np.array_equal(frame.rgb, same.rgb)
        assert (frame.index, frame.intra, frame.damaged) == (same.index, same.intra, False)
        assert frame.time_s == pytest.approx(same.time_s - expected[0].time_s)
        # Intra frames of a live source have recoded vectors.
        assert frame.intra or np.array_equal(frame.vectors, same.vectors)


def collect_while_sending(sender, reader, seconds):
    collected, end = Collected(reader), time.monotonic() + seconds
    while time.monotonic() < end:
        sender.send()
        time.sleep(0.01)
    return collected.frames.copy()


def pictures_of(chunks, tmp_path):
    (tmp_path / "reference.ts").write_bytes(b"".join(chunks))
    with open_video(tmp_path / "reference.ts") as reader:
        return {frame.rgb.tobytes() for frame in reader}


@pytest.mark.timed
@pytest.mark.parametrize("before", [pytest.param(0, marks=pytest.mark.slow), 30])
def test_packets_of_two_pictures_turn_it_off_and_none_is_read_wrongly(tmp_path, before, caplog):
    stream = packets()
    right = pictures_of(muxed(stream), tmp_path)
    two = muxed(stream, together=2, omit_video_pes_length="0")
    sender = UdpSender(muxed(stream)[:before] + two[before // 2 :])
    with sender.video(live=LOW) as reader:
        frames = collect_while_sending(sender, reader, 1.2)
    assert caplog.text.count("a packet holds no picture, a part of one, or several") == 1
    assert len(frames) > 30
    assert {frame.rgb.tobytes() for frame in frames} <= right


def test_lost_packets_do_not_turn_it_off(tmp_path, caplog):
    port = free_port()
    with LossySender(tmp_path, port, lost=15), open_video(f"udp://127.0.0.1:{port}", live=LOW) as reader:
        frames = [next(reader) for _ in range(40)]
    assert any(frame.damaged for frame in frames)
    assert "low latency" not in caplog.text


@contextmanager
def tcp_server(data, *, times):
    """Sends the same to each of ``times`` clients."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def serve():
            for _ in range(times):
                client, _ = server.accept()
                with client:
                    try:
                        client.sendall(data)
                        client.shutdown(socket.SHUT_WR)
                        client.recv(1)  # until it hangs up
                    except OSError:
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join(15)


@pytest.mark.parametrize(("container", "said"), [("mpegts", 0), ("matroska", 1), ("h264", 1)])
def test_over_tcp_it_is_for_mpegts_and_others_are_read_as_ever(tmp_path, container, said, caplog):
    if container == "matroska":
        pictures = moving(60, height=SIZE[0], width=SIZE[1])
        data = encode(tmp_path / "a.mkv", pictures, bf=0, refs=1, g=10, sc_threshold=0).read_bytes()
    else:
        data = b"".join(muxed(packets(), container=container))
    live = LiveOptions(on_late="block", low_latency=True)
    with tcp_server(data, times=1 + said) as url, open_video(url, motion="codec", live=live) as reader:
        frames = [next(reader) for _ in range(50)]
    assert caplog.text.count("where low latency needs H.264 or H.265 in MPEG-TS") == said
    assert [frame.intra for frame in frames] == 5 * ([True] + 9 * [False])
    assert not any(frame.damaged or (frame.vectors is None and not frame.intra) for frame in frames)


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
def test_rtsp_which_sends_pictures_in_pieces_is_read_as_ever(caplog):
    with RtspServer() as server, open_video(server.url, motion="codec", live=LOW) as reader:
        frames = [next(reader) for _ in range(10)]
    assert f"{server.url}: read without low latency, which is for MPEG-TS" in caplog.text
    assert not any(frame.damaged or (frame.vectors is None and not frame.intra) for frame in frames)


def test_a_file_is_read_as_ever_and_a_line_says_so(tmp_path, caplog):
    path = tmp_path / "a.ts"
    path.write_bytes(b"".join(muxed(packets(count=12))))
    with caplog.at_level(logging.WARNING), open_video(path, live=LOW) as reader:
        assert len(list(reader)) == 12
    assert "read without low latency" in caplog.text


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_one_picture_is_told_from_halves_and_pairs(codec):
    _, made = packets(codec, count=12)
    name = {"libx264": "h264", "libx265": "hevc"}[codec]
    data = [bytes(packet) for packet in made]
    assert all(is_one_picture(one, name) for one in data)
    assert not is_one_picture(data[3] + data[4], name)
    assert not is_one_picture(b"", name)
    if codec == "libx264":  # of two slices
        second = data[3].rindex(b"\0\0\1")
        assert not is_one_picture(data[3][second:], name)
        assert is_one_picture(data[3][:second], name)
        assert not is_one_picture(data[3][second:] + data[4], name)


def test_the_transport_is_asked_for():
    with pytest.raises(ValueError, match="expected one of auto, tcp, udp"):
        LiveOptions(rtsp_transport="http")
