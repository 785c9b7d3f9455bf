"""Streams that change on the way, pictures that are not shown, samples without bytes."""

import itertools

import numpy as np
import pytest
from support.clips.moving import chainable, encode, moving
from support.clips.mp4 import joined, with_edits, with_empty_samples

from edge_arseg.errors import SourceError
from edge_arseg.motion import MotionChain
from edge_arseg.spec.frame import Branch, MotionSource
from edge_arseg.video import open_video
from edge_arseg.video.vectors.h264_units import is_referred_to, parameter_sets

PLAIN = {"bf": 0, "refs": 1}
CHANGES = {
    "reference frames": ({"bf": 0, "refs": 4}, "the stream uses up to 4 reference frames"),
    "B-frames": ({"bf": 3, "refs": 1, "x264_params": "b-adapt=0:b-pyramid=none"}, "reference frames|B-frames"),
    "interlacing": ({**PLAIN, "x264_params": "tff=1"}, "interlaced"),
}


def parts(folder, ending, second, *, first=None, count=30):
    """Two clips that go on one from the other, as separate files."""
    pictures = list(moving(count + 8, height=64, width=96, step=(2, 0)))
    one, two = folder / f"one.{ending}", folder / f"two.{ending}"
    encode(one, pictures[:count], **{**PLAIN, "g": 250, **(first or {})})
    encode(two, pictures[count:], **second)
    return one, two


def whole(folder, ending, second, **options):
    path = folder / f"whole.{ending}"
    one, two = parts(folder, "mp4" if ending == "mp4" else ending, second, **options)
    if ending == "mp4":
        return joined(path, one, two)
    path.write_bytes(one.read_bytes() + two.read_bytes())
    return path


def median_flow(frame):
    vectors = frame.vectors
    inside = (abs(vectors["x"] - 48) < 32) & (abs(vectors["y"] - 32) < 24)
    return float(np.median(vectors["flow_x"][inside]))


# An MP4 with B-frames has one table more.
@pytest.mark.parametrize(
    ("ending", "change"),
    [*itertools.product(["ts", "h264"], CHANGES), ("mp4", "reference frames"), ("mp4", "interlacing")],
)
def test_auto_changes_over_where_the_stream_does(tmp_path, ending, change):
    options, why = CHANGES[change]
    # FFmpeg looks ahead for seconds: only in a long stream does the change come after opening.
    clip = whole(tmp_path, ending, options, count=260 if change == "B-frames" else 30)
    first = 260 if change == "B-frames" else 30
    with open_video(clip) as reader:
        assert reader.motion_source is MotionSource.CODEC
        frames = list(reader)
        assert reader.motion_source is MotionSource.RECODE
    assert reader.motion_reason.startswith(f"changed over from codec at frame {first}: ")
    sources = [frame.source for frame in frames]
    assert sources == [MotionSource.CODEC] * first + [MotionSource.RECODE] * 8
    assert [median_flow(frame) for frame in frames[first + 1 :]] == pytest.approx([-2] * 7, abs=0.5)
    with open_video(clip, motion="codec") as reader:
        came = []
        with pytest.raises(SourceError, match=rf"from frame {first} on its own vectors cannot be used: .*({why})"):
            came.extend(reader)
    with open_video(clip, motion="codec") as reader:
        assert sum(1 for _ in itertools.islice(reader, first)) == first


@pytest.mark.parametrize("second", [{**PLAIN, "profile": "baseline"}, {**PLAIN, "crf": 40}])
@pytest.mark.parametrize("ending", ["ts", "h264", "mp4"])
def test_changes_that_vectors_survive_change_nothing(tmp_path, ending, second):
    with open_video(whole(tmp_path, ending, second)) as reader:
        frames = list(reader)
    assert {frame.source for frame in frames} == {MotionSource.CODEC}
    assert [n for n, frame in enumerate(frames) if frame.vectors is None] == [0, 30]


def test_vectors_of_another_encoder_are_not_trusted(tmp_path):
    one, two = parts(tmp_path, "h264", {**PLAIN, "profile": "baseline"})
    signature = two.read_bytes().replace(b"x264 - core", b"else - core")
    (tmp_path / "whole.h264").write_bytes(one.read_bytes() + signature)
    with open_video(tmp_path / "whole.h264") as reader:
        frames = list(reader)
    assert [frame.source for frame in frames] == [MotionSource.CODEC] * 30 + [MotionSource.RECODE] * 8
    assert "at frame 30: from here on another encoder made the stream" in reader.motion_reason
    with open_video(tmp_path / "whole.h264", motion="codec") as reader:
        assert len(list(reader)) == 38


def test_pictures_that_the_next_one_does_not_refer_to_end_the_chain(tmp_path):
    """The upper layer of two temporal ones: nal_ref_idc is 0."""
    clip = encode(tmp_path / "a.h264", moving(12, height=64, width=96), **PLAIN, slices=1)
    data = bytearray(clip.read_bytes())
    at = [i for i in range(len(data) - 4) if data[i : i + 3] == b"\0\0\1" and data[i + 3] & 31 == 1][6]
    data[at + 3] &= 0x1F
    clip.write_bytes(data)
    with pytest.raises(SourceError, match=r"from frame 7 on .*pictures that the next one does not refer to"):
        list(open_video(clip, motion="codec"))


@pytest.mark.parametrize("motion", ["codec", "recode"])
def test_pictures_that_an_edit_list_hides_break_the_chain_of_the_streams_vectors(tmp_path, motion):
    clip = encode(tmp_path / "a.mp4", moving(24, height=64, width=96, step=(2, 0)), **PLAIN, g=48, scenecut=0)
    with open_video(with_edits(clip, (0, 8), (12, 8)), motion=motion) as reader:
        chain = MotionChain(reader.height, reader.width)
        frames = [(frame, chain.follow(frame)[0]) for frame in reader]
    assert len(frames) == 16
    assert [round(frame.time_s * 25) for frame, _ in frames] == list(range(16))
    flows = [None if frame.vectors is None else median_flow(frame) for frame, _ in frames]
    assert flows[1:8] == pytest.approx([-2] * 7, abs=0.5)
    assert flows[9:] == pytest.approx([-2] * 7, abs=0.5)
    if motion == "codec":
        assert flows[8] is None
        assert frames[8][1] is Branch.HR
    else:
        assert flows[8] == pytest.approx(-10, abs=1)  # five pictures on


def test_an_edit_list_that_begins_later_is_no_trouble(tmp_path):
    clip = encode(tmp_path / "a.mp4", moving(12, height=64, width=96, step=(2, 0)), **PLAIN)
    with open_video(with_edits(clip, (5, 6)), motion="codec") as reader:
        frames = list(reader)
    assert [round(frame.time_s * 25) for frame in frames] == list(range(6))
    assert frames[0].vectors is None
    assert [median_flow(frame) for frame in frames[1:]] == pytest.approx([-2] * 5, abs=0.5)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("empty", [(0,), (5,), (5, 6), (11,), (4, 11), (0, 1, 5, 10, 11)])
def test_samples_without_bytes_are_pictures_that_were_left_out(tmp_path, codec, empty):
    options = PLAIN if codec == "libx264" else {"qmin": 2, "b": 4_000_000}
    pictures = list(moving(12, height=64, width=96, step=(2, 0)))
    # The encoder never saw the pictures that are left out: made from the whole clip, the others would lack their base.
    kept = [picture for n, picture in enumerate(pictures) if n not in empty]
    clip = encode(tmp_path / "a.mp4", pictures, codec, **{**options, "g": 1})
    with_empty_samples(clip, *empty)
    for motion in ("auto", "codec"):
        with open_video(clip, motion=motion) as reader:
            frames = list(reader)
        assert len(frames) == len(kept)
        assert [round(frame.time_s * 25) for frame in frames] == [n for n in range(12) if n not in empty]
        for frame, picture in zip(frames, kept, strict=True):
            assert abs(frame.rgb.astype(int) - picture).mean() < 30


@pytest.mark.parametrize("motion", ["codec", "recode"])
@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_motion_over_a_picture_that_was_left_out_is_that_of_the_pixels_or_starts_anew(tmp_path, codec, motion):
    options = PLAIN if codec == "libx264" else {"qmin": 2, "b": 4_000_000}
    clip = encode(tmp_path / "a.mp4", moving(12, height=64, width=96, step=(2, 0)), codec, **{**options, "g": 6})
    with open_video(with_empty_samples(clip, 3, 4), motion=motion) as reader:
        frames = list(reader)
    assert len(frames) == 10
    for before, frame in itertools.pairwise(frames):
        if frame.vectors is not None and len(frame.vectors) and not frame.intra:
            assert median_flow(frame) == pytest.approx(shift(before.rgb, frame.rgb), abs=1.0)


def shift(before, after):
    """Where the content of the middle of ``after`` lies in ``before``, by trying every step."""
    wanted = after[16:48, 32:64].astype(int)
    errors = {dx: abs(before[16:48, 32 + dx : 64 + dx].astype(int) - wanted).mean() for dx in range(-20, 21)}
    return min(errors, key=errors.get)


def test_a_file_of_nothing_but_empty_samples_is_empty(tmp_path):
    clip = with_empty_samples(chainable(tmp_path / "a.mp4", 4), 0, 1, 2, 3)
    with pytest.raises(SourceError, match="its video stream is empty"):
        open_video(clip)


def test_units_are_found_in_both_forms():
    sets, slices = b"\x67\x42\x80", b"\x41\x9a\x10"
    annexb = b"\0\0\0\1" + sets + b"\0\0\0\1\x68\xce\0\0\1" + slices
    lengths = b"".join(len(unit).to_bytes(4, "big") + unit for unit in (sets, b"", b"\x68\xce", slices))
    assert parameter_sets(annexb) == parameter_sets(lengths, 4) == [sets]
    assert is_referred_to(annexb)
    assert not is_referred_to(annexb.replace(b"\x41", b"\x01"))
    for size in (0, 1, 2, 4):
        for end in range(len(annexb)):  # cut off anywhere
            parameter_sets(annexb[:end], size)
            is_referred_to(lengths[:end], size)


@pytest.mark.parametrize("ending", ["ts", "mpg", "m2v"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_the_last_picture_before_a_change_of_size_is_shown(tmp_path, ending, b_frames):
    """FFmpeg's decoder of MPEG-2 holds it back, and drops it."""
    both = tmp_path / f"both.{ending}"
    data = b""
    for n, (height, width) in enumerate(((64, 96), (96, 128), (64, 96))):
        levels = [np.full((height, width, 3), 20 + 64 * n + 8 * frame, np.uint8) for frame in range(6)]
        part = encode(tmp_path / f"{n}.{ending}", levels, "mpeg2video", bf=b_frames, b="2M")
        data += part.read_bytes()
    both.write_bytes(data)
    with open_video(both, motion="recode") as reader:
        frames = list(reader)
    assert [round((frame.rgb.mean() - 20) / 8) for frame in frames] == [
        8 * n + frame for n in range(3) for frame in range(6)
    ]
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx(0.04, abs=1e-3)
