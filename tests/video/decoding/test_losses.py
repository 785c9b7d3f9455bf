"""What cannot be decoded is never left out in silence."""

import logging
from types import SimpleNamespace

import av
import numpy as np
import pytest
from support.clips.moving import encode, moving

from edge_arseg.errors import SourceError
from edge_arseg.video import open_video
from edge_arseg.video.decoding.ends.losses import Losses

ADVICE = "where recordings of two codecs were joined, only one of them can be decoded: make each a file of its own"

BEGINS = "it begins between two intra frames, or with another codec"


def part(path, codec, count=12):
    quiet = {"x265_params": "log-level=none"} if codec == "libx265" else {"bf": 0}
    return encode(path, moving(count, height=96, width=128), codec, **quiet).read_bytes()


def told(path, caplog):
    times, fault = [], []
    with caplog.at_level(logging.WARNING), open_video(path, motion="zero") as reader:
        try:
            times.extend(frame.time_s for frame in reader)
        except SourceError as error:
            fault = [str(error)]
    return len(times), [record.getMessage() for record in caplog.records] + fault


@pytest.mark.parametrize(
    ("first", "second"), [("libx264", "mpeg2video"), ("mpeg2video", "libx264"), ("libx265", "libx264")]
)
def test_a_codec_that_changes_inside_mpeg_ts_is_told(tmp_path, caplog, first, second):
    """The part that FFmpeg does not take its codec from gives no picture, and no error either."""
    clip = tmp_path / "joined.ts"
    clip.write_bytes(part(tmp_path / "a.ts", first) + part(tmp_path / "b.ts", second))
    count, said = told(clip, caplog)
    assert count < 24
    assert said[-1].endswith((ADVICE, BEGINS))


def test_a_part_at_the_end_that_gives_nothing_is_damage(tmp_path):
    clip = tmp_path / "joined.ts"
    clip.write_bytes(part(tmp_path / "a.ts", "mpeg2video", 24) + part(tmp_path / "b.ts", "libx264", 30))
    with open_video(clip, motion="zero") as reader, pytest.raises(SourceError, match=rf"ends in damage .*{ADVICE}"):
        list(reader)


def test_a_recording_that_begins_between_intra_frames_is_told(tmp_path, caplog):
    whole = encode(tmp_path / "a.ts", moving(36, height=96, width=128), bf=0, g=12).read_bytes()
    clip = tmp_path / "b.ts"
    clip.write_bytes(whole[whole.index(b"\x47", len(whole) // 5) :])
    count, said = told(clip, caplog)
    assert count in (12, 24)
    assert [line.rpartition("; ")[2] for line in said] == [BEGINS]


@pytest.mark.parametrize("options", [{"bf": 0}, {"bf": 3}, {"bf": 3, "flags": "+ilme+ildct"}])
@pytest.mark.parametrize("ending", ["ts", "mkv", "avi"])
def test_a_whole_file_is_not_talked_about(tmp_path, caplog, ending, options):
    clip = encode(tmp_path / f"a.{ending}", moving(24, height=96, width=128), **options)
    assert told(clip, caplog) == (24, [])


@pytest.mark.parametrize(
    ("codec", "options", "bad", "count", "told_of"),
    [
        ("mjpeg", {"pix_fmt": "yuvj420p"}, (4, 5, 9), 9, "3 packets"),
        ("mpeg4", {"bf": 2}, (3,), 11, "1 packet"),  # the decoder has nothing to give for what comes behind it, too
    ],
)
def test_what_the_decoder_refuses_is_counted(tmp_path, caplog, codec, options, bad, count, told_of):
    """Without a number the user had to find the marks of damage in the results."""
    encode(tmp_path / "a.mkv", moving(12, height=96, width=128), codec, **options)
    with av.open(str(tmp_path / "a.mkv")) as given, av.open(str(tmp_path / "b.mkv"), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for n, packet in enumerate(given.demux(video=0)):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(damaged(packet) if n in bad else packet)
    said = f"{tmp_path}/b.mkv: {told_of} of its video could not be decoded, and gave no picture"
    assert told(tmp_path / "b.mkv", caplog) == (count, [said])


def damaged(packet):
    bare = av.Packet(b"no picture")
    bare.pts, bare.dts, bare.time_base, bare.stream = packet.pts, packet.dts, packet.time_base, packet.stream
    return bare


def fed(container, *steps):
    losses = Losses(container)
    for size, pictures, refused in steps:
        losses.look(SimpleNamespace(size=size), pictures, refused=refused)
    return losses.count, losses.at_end


def test_second_fields_and_pictures_held_back_are_no_loss():
    fields = [(1, 0, False), (1, 1, False)] * 20
    assert fed("mpegts", *fields, (0, 0, False)) == (0, False)
    delayed = [(1, 0, False)] * 9 + [(1, 1, False)] * 5
    assert fed("mpegts", *delayed, (0, 9, False)) == (0, False)
    assert fed("matroska,webm", *[(1, 0, False)] * 9) == (0, False)  # not all of its packets are pictures


def test_packets_without_a_picture_are_counted_wherever_they_lie():
    lost = [(1, 0, False)] * 9
    given = [(1, 1, False)] * 5
    assert fed("mpegts", *lost, *given, (0, 0, False)) == (9, False)
    assert fed("mpegts", *given, *lost, (0, 2, False)) == (7, True)
    assert fed("avi", *given, (1, 0, True), *given) == (1, False)


def marked(path, **options):
    with open_video(path, **options) as reader:
        return [frame.index for frame in reader if frame.damaged]


@pytest.mark.parametrize("motion", ["codec", "recode"])
def test_the_picture_behind_lost_packets_of_mpeg_ts_is_damaged(tmp_path, motion):
    """The decoder says nothing where whole pictures are lost: it shows the next one, made of the wrong ones."""
    whole = encode(tmp_path / "a.ts", moving(48), bf=0, refs=1, g=250, tune="zerolatency")
    with av.open(str(whole)) as file:
        places = [packet.pos for packet in file.demux(video=0) if packet.size]
    data = whole.read_bytes()
    hole = tmp_path / "hole.ts"
    hole.write_bytes(data[: places[20]] + data[places[26] :])
    with open_video(hole, motion="zero") as reader:
        assert round(max(np.diff([frame.time_s for frame in reader])), 2) == 0.28
    assert marked(hole, motion=motion) == [20]
    assert marked(whole, motion=motion) == []


def test_a_file_goes_on_behind_zeros_in_it(tmp_path):
    """A recorder that loses its power leaves them; FFmpeg ends the read, and marks nothing."""
    whole = encode(tmp_path / "a.ts", moving(48), bf=0, refs=1, g=250, tune="zerolatency")
    with av.open(str(whole)) as file:
        places = [packet.pos for packet in file.demux(video=0) if packet.size]
    data = whole.read_bytes()
    hole = tmp_path / "hole.ts"
    hole.write_bytes(data[: places[20]] + bytes(300_000) + data[places[26] :])
    with open_video(hole, motion="recode") as reader:
        frames = list(reader)
    assert len(frames) == 42
    assert [frame.index for frame in frames if frame.damaged] == [20]
    hole.write_bytes(data + bytes(300_000))
    with open_video(hole, motion="codec") as reader:
        assert [frame.damaged for frame in reader] == 48 * [False]


def test_the_seam_of_two_recordings_is_no_damage(tmp_path):
    """Packets are counted on, and there the count breaks; but the next picture needs none before it."""
    both = tmp_path / "both.ts"
    both.write_bytes(part(tmp_path / "a.ts", "libx264", 24) + part(tmp_path / "b.ts", "libx264", 24))
    assert marked(both, motion="recode") == []


def test_segments_that_are_joined_between_intra_frames_lose_nothing(tmp_path):
    """Each counts its packets from 0, and no time is missing."""
    whole = tmp_path / "a.ts"
    encode(whole, moving(48), bf=0, refs=1, g=250, tune="zerolatency")
    with av.open(str(whole)) as given:
        packets = [packet for packet in given.demux(video=0) if packet.size]
        for n in range(4):
            with av.open(str(tmp_path / f"{n}.ts"), "w") as output:
                stream = output.add_stream_from_template(given.streams.video[0])
                for packet in packets[12 * n : 12 * n + 12]:
                    packet.stream = stream
                    output.mux(packet)
    both = tmp_path / "both.ts"
    both.write_bytes(b"".join((tmp_path / f"{n}.ts").read_bytes() for n in range(4)))
    with av.open(str(both)) as given:
        assert any(packet.is_corrupt for packet in given.demux(video=0))
    assert marked(both, motion="recode") == []
