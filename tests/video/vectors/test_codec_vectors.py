import gc

import av
import numpy as np
import pytest
from support.clips.moving import chainable, encode, moving

from edge_arseg.errors import OptionError, SourceError
from edge_arseg.spec.frame import MotionSource
from edge_arseg.video import open_video
from edge_arseg.video.vectors.sps import SequenceParameters, parameter_sets_of_extradata, sps_from_unit


def first_parameters(data):
    return next((sps_from_unit(unit) for unit in parameter_sets_of_extradata(data)), None)


def extradata(path):
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context.extradata


@pytest.mark.parametrize("container", ["mp4", "ts", "h264", "mkv"])
@pytest.mark.parametrize(
    ("options", "refs", "progressive"),
    [
        ({"bf": 0, "refs": 1}, 1, True),
        ({"bf": 0, "refs": 3}, 3, True),
        ({"refs": 4}, 4, True),
        ({"bf": 0, "refs": 1, "profile": "baseline"}, 1, True),
        ({"bf": 0, "refs": 1, "x264_params": "tff=1"}, None, False),
        ({"bf": 0, "refs": 1, "x264_params": "cqm=jvt"}, 1, True),
    ],
)
def test_what_the_parameter_set_says(tmp_path, container, options, refs, progressive):
    found = first_parameters(extradata(encode(tmp_path / f"a.{container}", moving(3), **options)))
    assert found is not None
    assert found.progressive == progressive
    if refs is not None:
        assert found == SequenceParameters(refs, progressive)


@pytest.mark.parametrize("data", [None, b"", b"\0\0\1", b"\x01dd", b"\0\0\1\x67", b"nothing of the kind", bytes(64)])
def test_no_parameter_set_no_answer(data):
    assert first_parameters(data) is None


def test_a_cut_off_parameter_set_is_no_crash(tmp_path):
    whole = extradata(encode(tmp_path / "a.h264", moving(3)))
    found = {first_parameters(whole[:length]) for length in range(len(whole))}
    assert found == {None, first_parameters(whole)}


@pytest.mark.parametrize(
    ("codec", "ending", "options", "why"),
    [
        ("libx264", "mp4", {}, "has B-frames"),
        ("libx264", "mp4", {"bf": 0, "refs": 3}, "up to 3 reference frames"),
        ("libx264", "mp4", {"bf": 0, "refs": 1, "x264_params": "tff=1"}, "reference frames|interlaced"),
        ("libx264", "mp4", {"bf": 0, "refs": 1, "x264_params": "crop-rect=64,0,0,0"}, "cuts off columns on the left"),
        ("libx264", "ts", {"bf": 0, "refs": 1, "x264_params": "crop-rect=0,16,0,0"}, "cuts off columns on the left"),
        ("libx265", "mp4", {"x265_params": "log-level=none"}, "hevc decoder exports no vectors"),
        ("mpeg4", "mp4", {"bf": 2}, "has B-frames"),
        ("mjpeg", "avi", {"pix_fmt": "yuvj420p"}, "mjpeg decoder exports no vectors"),
    ],
)
def test_streams_whose_vectors_cannot_be_chained(tmp_path, codec, ending, options, why):
    clip = encode(tmp_path / f"a.{ending}", moving(6), codec, **options)
    with pytest.raises(SourceError, match=f"({why}).*type --motion recode"):
        open_video(clip, motion="codec")
    with open_video(clip) as reader:
        assert reader.motion_source is MotionSource.RECODE
        assert len(reader.motion_reason) > 10
        assert len(list(reader)) == 6


def test_columns_cut_off_on_the_right_and_rows_at_the_bottom_leave_the_vectors_right(tmp_path):
    clip = encode(tmp_path / "a.mp4", moving(4), bf=0, refs=1, x264_params="crop-rect=0,0,16,16")
    with open_video(clip) as reader:
        assert (reader.height, reader.width) == (144 - 16, 192 - 16)
        assert reader.motion_source is MotionSource.CODEC


@pytest.mark.parametrize("motion", ["auto", "zero"])
def test_columns_that_a_stream_cuts_off_on_the_left_are_not_shown(tmp_path, motion):
    """FFmpeg shows those that make less than its alignment, unless it is told not to."""
    pictures = [np.repeat(np.arange(192, dtype=np.uint8)[None, :, None], 144, 0).repeat(3, 2)] * 3
    clip = encode(tmp_path / "a.mp4", pictures, bf=0, refs=1, qp=1, x264_params="crop-rect=8,0,0,0")
    with open_video(clip, motion=motion) as reader:
        assert (reader.height, reader.width) == (144, 192 - 8)
        assert next(iter(reader)).rgb[72, 0].mean() == pytest.approx(8, abs=3)


def test_auto_takes_the_vectors_of_x264_where_they_can_be_chained(tmp_path):
    with open_video(chainable(tmp_path / "a.mp4")) as reader:
        assert reader.motion_source is MotionSource.CODEC
        assert "made by x264" in reader.motion_reason
        assert {frame.source for frame in reader} == {MotionSource.CODEC}


def test_auto_recodes_where_the_encoder_is_unknown(tmp_path):
    clip = encode(tmp_path / "a.mp4", moving(4), "mpeg4")
    with open_video(clip) as reader:
        assert reader.motion_source is MotionSource.RECODE
        assert "encoder is not known" in reader.motion_reason
    with open_video(clip, motion="codec") as reader:
        assert (reader.motion_source, reader.motion_reason) == (MotionSource.CODEC, "asked for")


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_vectors_point_back_to_where_the_content_was(tmp_path, codec):
    options = {"bf": 0, "refs": 1} if codec == "libx264" else {"qmin": 2, "b": 4_000_000}
    clip = encode(tmp_path / "a.mp4", moving(8, step=(3, 2)), codec, **options)
    with open_video(clip, motion="codec") as reader:
        first, *others = reader
    assert first.intra
    assert first.vectors is None
    for frame in others:
        inside = (abs(frame.vectors["x"] - 96) < 60) & (abs(frame.vectors["y"] - 72) < 40)
        found = np.median(frame.vectors["flow_x"][inside]), np.median(frame.vectors["flow_y"][inside])
        assert found == pytest.approx((-3, -2), abs=0.26)


@pytest.mark.parametrize("motion", ["codec", "recode"])
def test_pictures_are_freed_without_a_search_for_rings(tmp_path, motion):
    """Some MB each at 720x960, and Python may look for rings only after thousands of frames."""
    clip = chainable(tmp_path / "a.mp4", count=40)

    def pictures():
        return sum(type(found) is av.VideoFrame for found in gc.get_objects())

    gc.collect()
    before = pictures()
    gc.disable()
    try:
        with open_video(clip, motion=motion) as reader:
            assert sum(1 for _ in reader) == 40
            assert pictures() < before + 10
    finally:
        gc.enable()


def test_without_vectors_asked_for_none_are_exported(tmp_path):
    with open_video(chainable(tmp_path / "a.mp4"), motion="zero") as reader:
        next(reader)
        frame = next(reader)
    assert frame.source is MotionSource.ZERO
    assert len(frame.vectors) == 9 * 12
    assert not frame.vectors["flow_x"].any()


def test_an_unknown_motion_is_refused(tmp_path):
    with pytest.raises(OptionError, match="expected one of auto, codec, recode, zero"):
        open_video(chainable(tmp_path / "a.mp4", 2), motion="dis")
