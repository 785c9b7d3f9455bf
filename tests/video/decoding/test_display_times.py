"""Times of pictures that are shown in another order than they are stored in."""

import re
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from av.video.frame import PictureType
from support.clips.broken import remuxed
from support.clips.moving import encode, moving

from edge_arseg.video import open_video
from edge_arseg.video.decoding.times.display_times import DisplayTimes
from edge_arseg.video.pieces.cuts import spans_of
from edge_arseg.video.uri import source_from_uri

VOP = b"\0\0\1\xb6"  # begins a picture of MPEG-4
DIVX = rb"Lavc[0-9.]+", b"DivX503b1393p"
B_FRAMES = {"bf": 3, "b_adapt": 0, "x264_params": "scenecut=0"}


def clip(path, count=24, rate=25, codec="libx264", **options):
    return encode(path, moving(count, height=96, width=128), codec, rate=rate, **options)


def packed(path, to):
    """An AVI of MPEG-4 as DivX stored it: a P-frame and the B-frame behind it in one sample, one of 6 bytes in place of
    that; returns how many samples there are."""
    with av.open(str(path)) as file, av.open(str(to), "w") as new:
        stream = file.streams.video[0]
        out = new.add_stream_from_template(stream)
        out.codec_context.extradata = re.sub(*DIVX, stream.codec_context.extradata)
        samples = [bytes(each) for each in file.demux(stream) if each.size]
        kinds = [sample[sample.find(VOP) + 4] >> 6 for sample in samples]
        for at in range(len(samples)):
            behind = kinds[at + 1 : at + 2]
            if kinds[at] == 2:  # a B-frame: the next one takes its place, or a picture that is not coded
                data = samples[at + 1] if behind == [2] else VOP + b"\x51\x7f"
            else:
                data = samples[at] + (samples[at + 1] if behind == [2] else b"")
            each = av.Packet(re.sub(*DIVX, data))
            each.stream, each.dts, each.pts, each.time_base = out, at, at, Fraction(1, 25)
            each.is_keyframe = kinds[at] == 0
            new.mux(each)
    return len(samples)


def times(path):
    with open_video(path, motion="zero") as reader:
        return [frame.time_s for frame in reader], reader.rate


@pytest.mark.parametrize("ending", ["avi", "mp4", "mkv", "mov"])
def test_b_frames_keep_their_times(tmp_path, ending):
    found, _ = times(clip(tmp_path / f"a.{ending}", **B_FRAMES))
    assert found == pytest.approx([n / 25 for n in range(24)])


@pytest.mark.parametrize("codec", ["mpeg4", "mpeg2video"])
def test_an_avi_begins_at_its_beginning(tmp_path, codec):
    found, _ = times(clip(tmp_path / "a.avi", codec=codec, bf=2))
    assert found == pytest.approx([n / 25 for n in range(24)])


@pytest.mark.parametrize("b_frames", [1, 2])
def test_packed_b_frames_come_one_period_after_another(tmp_path, b_frames):
    """FFmpeg's times of them go to and fro, and the file ran twice as long."""
    assert packed(clip(tmp_path / "a.avi", 25, codec="mpeg4", bf=b_frames), tmp_path / "b.avi") == 25
    found, _ = times(tmp_path / "b.avi")
    assert found == pytest.approx([n / 25 for n in range(25)])


@pytest.mark.parametrize("b_frames", [0, 2])
def test_the_first_step_of_mpeg_1_in_an_avi_is_one_period(tmp_path, b_frames):
    found, _ = times(clip(tmp_path / "a.avi", codec="mpeg1video", bf=b_frames))
    assert found == pytest.approx([n / 25 for n in range(24)])


@pytest.mark.parametrize(("codec", "options"), [("libx264", {"bf": 0}), ("wmv2", {})])
def test_pictures_in_an_asf_keep_their_times(tmp_path, codec, options):
    """FFmpeg gives a picture of H.264 the time of the next one there."""
    said = [0, 33, 66, 166, 1200, 1240, 5000, 5040]
    found, _ = times(encode(tmp_path / "a.asf", moving(8, height=96, width=128), codec, times=said, **options))
    assert found == pytest.approx([time / 1000 for time in said])


@pytest.mark.parametrize("slots", [(0, 1, 2, 5, 6, 7, 12, 13, 14, 15), (0, 3, 4, 5, 9, 10, 11, 12, 13, 20)])
@pytest.mark.parametrize(
    ("codec", "options"), [("libx264", {"x264_params": "bframes=0:ref=1"}), ("mpeg4", {}), ("mjpeg", {})]
)
def test_pictures_that_a_recorder_left_out_of_an_avi_keep_their_time(tmp_path, slots, codec, options):
    """Without B-frames: each is shown until the next, and not before its time."""
    path = tmp_path / "a.avi"
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    pictures = moving(len(slots), height=96, width=128)
    encode(path, pictures, codec, pix_fmt=pix_fmt, times=[40 * slot for slot in slots], **options)
    found, _ = times(path)
    assert found == pytest.approx([slot / 25 for slot in slots])


def test_a_pause_in_an_avi_with_b_frames_stays_where_it_is(tmp_path):
    slots = [*range(10), *range(21, 40)]
    path = tmp_path / "a.avi"
    encode(path, moving(len(slots), height=96, width=128), "mpeg4", times=[40 * slot for slot in slots], bf=2)
    found, _ = times(path)
    assert found == pytest.approx([slot / 25 for slot in slots])


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_copy_of_an_avi_says_when_pictures_are_decoded(tmp_path, ending):
    """``ffmpeg -i a.avi -c copy`` keeps the times of decoding: they had jumped to and fro, and run twice as long."""
    remuxed(clip(tmp_path / "a.avi", **B_FRAMES), tmp_path / f"b.{ending}")
    found, _ = times(tmp_path / f"b.{ending}")
    assert len(found) >= 20
    assert np.diff(found) == pytest.approx(0.04, abs=1e-6)


@pytest.mark.parametrize("rate", [10, 25, 50, 240])
@pytest.mark.parametrize(("ending", "codec"), [("h264", "libx264"), ("hevc", "libx265")])
def test_a_stream_without_a_container_has_the_rate_that_it_says(tmp_path, ending, codec, rate):
    quiet = {"x265_params": "log-level=none"} if codec == "libx265" else B_FRAMES
    found, said = times(clip(tmp_path / f"a.{ending}", 12, rate, codec, **quiet))
    assert said == rate
    assert found == pytest.approx([n / rate for n in range(12)])


def test_bare_dv_has_the_rate_of_its_pictures(tmp_path):
    """FFmpeg says 60,000, the units of its clock: an overlay in AVI had a million slots a minute."""
    path = encode(tmp_path / "a.dv", moving(4, height=576, width=720), "dvvideo")
    assert times(path) == (pytest.approx([0, 0.04, 0.08, 0.12]), 25)


@pytest.mark.parametrize("codec", ["mpeg1video", "mpeg2video"])
def test_the_first_step_of_bare_mpeg_video_is_one_period(tmp_path, codec):
    found, said = times(clip(tmp_path / ("a.m1v" if codec == "mpeg1video" else "a.m2v"), 12, 50, codec))
    assert said == 50
    assert found == pytest.approx([n / 50 for n in range(12)])


@pytest.mark.parametrize(("codec", "options"), [("libx264", B_FRAMES), ("mpeg4", {"bf": 2}), ("mpeg2video", {"bf": 2})])
def test_the_pieces_of_an_avi_have_the_times_of_the_whole(tmp_path, codec, options):
    path = clip(tmp_path / "a.avi", 60, codec=codec, g=12, **options)
    whole, _ = times(path)
    found = []
    for span in spans_of(source_from_uri(path), 0.8):
        with open_video(path, motion="zero", span=span) as reader:
            found += [frame.time_s for frame in reader]
    assert found == whole == pytest.approx([n / 25 for n in range(60)])


def test_packed_b_frames_are_not_cut(tmp_path):
    """FFmpeg's times do not say which picture a piece begins with."""
    packed(clip(tmp_path / "a.avi", 60, codec="mpeg4", bf=2, g=12), tmp_path / "b.avi")
    assert len(spans_of(source_from_uri(tmp_path / "a.avi"), 0.8)) == 3
    assert len(spans_of(source_from_uri(tmp_path / "b.avi"), 0.8)) == 1


def test_a_stream_without_a_container_is_not_cut(tmp_path):
    source = source_from_uri(clip(tmp_path / "a.h264", 24, g=6))
    assert len(spans_of(source, 0.2)) == 1


def packet(pts, dts=None, *, size=1, hidden=False):
    return SimpleNamespace(pts=pts, dts=pts if dts is None else dts, size=size, is_discard=hidden)


def frame(pts, kind=PictureType.B):
    time = None if pts is None else pts * 0.5
    return SimpleNamespace(pts=pts, dts=pts, time=time, time_base=Fraction(1, 2), pict_type=kind)


def given(container, steps, rate=None, first=None, **options):
    found = DisplayTimes(container, rate, first or packet(0), **options)
    said = []
    for step in steps:
        if hasattr(step, "size"):
            found.look(step)
        else:
            said.append(found.time_s(step))
    return said


def test_packets_that_gave_no_picture_keep_their_times():
    start = [packet(4), packet(5), packet(6), frame(5), packet(7), frame(6)]
    assert given("mov,mp4", start) == [2.5, 3.0]  # the first could not be decoded
    later = [packet(0), frame(0), packet(1), packet(2), frame(2), packet(3), frame(3)]
    assert given("avi", later) == [0, 1.0, 1.5]  # the second was damaged


def test_a_stream_without_a_container_whose_decoder_holds_back_more_has_lost_nothing():
    """As where B-frames begin in the middle of it."""
    steps = [packet(0), frame(None), packet(1), frame(None), packet(2), packet(3), frame(None), frame(None)]
    assert given("h264", steps, 10) == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_packet_that_was_refused_keeps_its_time():
    times = DisplayTimes("h264", 10, packet(0))
    said = []
    for number in range(5):
        times.look(packet(number))
        times.decoded(refused=number == 2)
        if number != 2:
            said.append(times.time_s(frame(None)))
    assert said == pytest.approx([0, 0.1, 0.3, 0.4])


def test_hidden_and_empty_samples_are_no_pictures():
    hidden = [packet(0, hidden=True), packet(1), frame(1), packet(2, size=0), packet(3), frame(3)]
    assert given("mov,mp4", hidden) == [0.5, 1.5]


def test_times_that_ever_went_back_are_believed():
    steps = [packet(0), packet(3), frame(0), packet(1), frame(1), packet(2), frame(2), frame(3), packet(4), frame(4)]
    assert given("mov,mp4", steps) == [0, 0.5, 1.0, 1.5, 2.0]


@pytest.mark.parametrize("seed", range(20))
def test_without_b_frames_pictures_are_believed_whatever_is_lost_or_held_back(seed):
    """A decoder may hold back one more picture than before; nothing of it was lost."""
    random = np.random.default_rng(seed)
    steps, held, shown = [], [], []
    for pts in np.cumsum(random.integers(1, 4, 40)).tolist():
        steps.append(packet(pts))
        if random.random() < 0.8:  # else it is damaged, and gives no picture
            held.append(pts)
        while len(held) > random.integers(0, 4):
            shown.append(held.pop(0))
            steps.append(frame(shown[-1], PictureType.P))
    assert given("mov,mp4", steps) == [pts * 0.5 for pts in shown]


def test_a_live_source_is_believed():
    assert given(None, [packet(0), packet(3), frame(3), packet(4), frame(4)]) == [1.5, 2.0]


def test_an_avi_has_no_time_before_its_first_picture():
    """FFmpeg says of the first picture when it is decoded, and that it is shown later."""
    start = packet(1, 0)
    assert given("avi", [start, frame(1), packet(2, 1), frame(2)], first=start) == [0, 0.5]
    b_frames = [start, packet(3, 1), frame(1), packet(2, 2), frame(2), frame(3)]
    assert given("avi", b_frames, first=start) == [0, 0.5, 1.0]


def test_an_avi_of_no_b_frames_goes_by_the_times_of_decoding():
    """Also over a picture that was lost, and at the end, where two say the same."""
    start = packet(3, 0)
    lost = [start, frame(3, PictureType.P), packet(4, 3), packet(9, 4), frame(9, PictureType.P)]
    last = [packet(10, 9), frame(10, PictureType.P), packet(10, 10), frame(10, PictureType.P)]
    assert given("avi", lost + last, first=start, reordered=False) == [0, 2.0, 4.5, 5.0]


def test_more_pictures_than_packets_of_a_bare_stream_have_no_time():
    assert given("h264", [packet(0), frame(0), frame(1), packet(1), frame(2)], 10) == [0, None, 0.1]


def test_a_picture_of_no_time_has_that_of_decoding():
    frame_without_time = SimpleNamespace(**{**vars(frame(None)), "dts": 6})
    assert given(None, [packet(0), frame_without_time]) == [3.0]
