"""Damaged JPEG pictures in a stream are shown, and marked."""

from fractions import Fraction

import av
import numpy as np
import pytest
from support.clips.moving import encode, moving

from edge_arseg.video import open_video


def with_cut_packets(source, target, share, *numbers):
    """A copy in which some pictures end early."""
    with av.open(str(source)) as given, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for n, whole in enumerate(packet for packet in given.demux(video=0) if packet.size):
            data = bytes(whole)
            packet = av.Packet(data[: int(len(data) * share)] if n in numbers else data)
            packet.pts, packet.dts, packet.time_base = whole.pts, whole.dts, whole.time_base
            packet.duration, packet.is_keyframe, packet.stream = whole.duration, True, stream
            output.mux(packet)
    return target


def read(path):
    with open_video(path) as reader:
        return list(reader)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    pictures = moving(8, height=96, width=128)
    return encode(tmp_path_factory.mktemp("jpeg") / "a.avi", pictures, "mjpeg", pix_fmt="yuvj420p")


@pytest.mark.parametrize("ending", ["avi", "mkv", "mjpeg"])
@pytest.mark.parametrize("number", [0, 3, 7])
def test_a_picture_that_is_cut_off_is_damaged_and_keeps_its_place(tmp_path, clip, ending, number):
    found, sound = read(with_cut_packets(clip, tmp_path / f"b.{ending}", 0.5, number)), read(clip)
    assert [frame.index for frame in found if frame.damaged] == [number]
    assert [frame.time_s for frame in found] == pytest.approx([n / 25 for n in range(8)])
    for n, (one, other) in enumerate(zip(found, sound, strict=True)):
        assert np.array_equal(one.rgb, other.rgb) is (n != number)
        assert np.array_equal(one.rgb[:16], other.rgb[:16])


def test_a_camera_that_never_sends_a_whole_picture_is_watched(tmp_path, clip):
    found = read(with_cut_packets(clip, tmp_path / "b.avi", 0.97, *range(8)))
    assert [frame.damaged for frame in found] == [True] * 8


def test_a_picture_that_nothing_can_be_made_of_is_left_out(tmp_path, clip):
    found = read(with_cut_packets(clip, tmp_path / "b.mkv", 0.05, 3))
    assert [round(frame.time_s * 25) for frame in found] == [0, 1, 2, 4, 5, 6, 7]
    assert [frame.damaged for frame in found] == [False] * 3 + [True] + [False] * 3


def test_the_end_of_a_picture_may_lack_its_mark(tmp_path, clip):
    with av.open(str(clip)) as given:
        data = [bytes(packet) for packet in given.demux(video=0) if packet.size]
    with av.open(str(tmp_path / "b.mkv"), "w") as output:
        stream = output.add_stream("mjpeg", 25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p"
        for n, whole in enumerate(data):
            packet = av.Packet(whole.rstrip(b"\0").removesuffix(b"\xff\xd9"))
            packet.pts = packet.dts = n
            packet.time_base, packet.stream = Fraction(1, 25), stream
            output.mux(packet)
    assert not any(frame.damaged for frame in read(tmp_path / "b.mkv"))
