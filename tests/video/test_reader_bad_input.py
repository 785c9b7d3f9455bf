"""A clear error, or a documented recovery; never a raw error of FFmpeg, never a hang."""

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from support.clips.broken import audio_only, broken, remuxed
from support.clips.moving import chainable, encode, moving

from edge_arseg.errors import SourceError
from edge_arseg.motion import KeyframePolicy, MotionChain
from edge_arseg.spec.frame import Branch
from edge_arseg.video import open_video
from edge_arseg.video.presence import refuse_missing
from edge_arseg.video.uri import source_from_uri


def read_until_error(path, **options):
    frames = []
    with open_video(path, **options) as reader:
        try:
            for frame in reader:
                frames.append(frame)
        except SourceError as error:
            return frames, error
    return frames, None


def test_a_missing_file(tmp_path):
    with pytest.raises(SourceError, match=r"no\.mp4: there is no such file"):
        open_video(tmp_path / "no.mp4")


def test_a_folder_without_pictures_is_no_source(tmp_path):
    with pytest.raises(SourceError, match=r"no video and no picture in this folder; .* type .*/\*\*/\*\.mp4"):
        open_video(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    chainable(tmp_path / "a.mp4", 2).chmod(0)
    with pytest.raises(SourceError, match="not permitted"):
        open_video(tmp_path / "a.mp4")


@pytest.mark.parametrize("content", [b"", b"just some text\n" * 40, bytes(range(256)) * 80, bytes(5000)])
@pytest.mark.parametrize("ending", ["mp4", "ts", "h264", "avi"])
def test_a_file_that_is_no_video(tmp_path, content, ending):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=f"a.{ending}: .{{20,}}"):
        list(open_video(path))


def test_an_mp4_without_its_index(tmp_path):
    whole = chainable(tmp_path / "whole.mp4", 20)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(SourceError, match="cut off before its index"):
        open_video(cut)


def test_a_file_without_video(tmp_path):
    with pytest.raises(SourceError, match="no video in it, only audio; expected a video stream"):
        open_video(audio_only(tmp_path / "a.m4a"))


def test_a_camera_that_is_not_there():
    with pytest.raises(SourceError, match="/dev/video97: there is no camera /dev/video97; cameras of this machine: "):
        open_video("/dev/video97")


def test_a_file_in_place_of_a_camera(tmp_path):
    with pytest.raises(SourceError, match="v4l2://"):
        open_video(f"v4l2://{chainable(tmp_path / 'a.mp4', 2)}")


def test_a_server_that_is_not_there():
    with pytest.raises(SourceError, match="nobody listens at this address"):
        open_video("rtsp://127.0.0.1:9/a", timeout_s=(3, 1))


@pytest.mark.parametrize("share", [0.4, 0.6, 0.9])
def test_a_cut_off_file_gives_its_sound_frames_and_then_an_error(tmp_path, share):
    whole, fast, cut = (tmp_path / name for name in ("whole.mp4", "fast.mp4", "cut.mp4"))
    encode(whole, moving(40, step=(7, 5)), bf=0, refs=1)
    remuxed(whole, fast, movflags="faststart")
    cut.write_bytes(fast.read_bytes()[: int(fast.stat().st_size * share)])
    frames, error = read_until_error(cut)
    assert 5 < len(frames) < 40
    assert f"ends in damage after {len(frames)} of 40 frames" in str(error)


@pytest.mark.parametrize("ending", ["ts", "mkv"])
def test_a_cut_off_stream_ends(tmp_path, ending):
    whole = encode(tmp_path / f"whole.{ending}", moving(40, step=(7, 5)), bf=0, refs=1)
    cut = tmp_path / f"cut.{ending}"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * 0.6)])
    frames, error = read_until_error(cut)
    assert error is None or "ends in damage" in str(error)
    assert 5 < len(frames) < 40


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("motion", ["recode", "codec"])
def test_flipped_bytes_mark_frames_and_a_keyframe_follows(tmp_path, seed, motion):
    whole = chainable(tmp_path / "whole.ts", 40, g=10)
    path = broken(tmp_path / "broken.ts", whole, 6000, 25, seed)
    frames, error = read_until_error(path, motion=motion)
    assert error is None or "ends in damage" in str(error)
    assert len(frames) > 20
    assert any(frame.damaged for frame in frames)
    chain = MotionChain(144, 192, policy=KeyframePolicy(interval=100))
    branches = [chain.follow(frame)[0] for frame in frames]
    for (before, _), (frame, branch) in itertools.pairwise(zip(frames, branches, strict=True)):
        if before.damaged and not frame.damaged:
            assert branch is Branch.HR


def test_lost_packets_leave_frames_out_and_recoding_heals_the_motion(tmp_path):
    whole = encode(tmp_path / "whole.mp4", moving(24, step=(3, 2)), bf=0, refs=1, g=10, crf=15)
    remuxed(whole, tmp_path / "lost.mp4", without=(4, 5, 17))
    with open_video(tmp_path / "lost.mp4", motion="recode") as reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == list(range(21))

    def motion(vectors):
        inside = (abs(vectors["x"] - 96) < 60) & (abs(vectors["y"] - 72) < 40)
        return np.median(vectors["flow_x"][inside])

    # Two steps were lost: the decoder shows what follows 6 pixels off, until the intra frame (10, now 8) puts it right.
    assert motion(frames[4].vectors) == pytest.approx(-3, abs=0.5)
    assert motion(frames[8].vectors) == pytest.approx(-9, abs=0.5)


@pytest.mark.parametrize("motion", ["recode", "codec"])
def test_a_lost_intra_frame_is_survived(tmp_path, motion):
    whole = chainable(tmp_path / "whole.mp4", 40, g=10)
    remuxed(whole, tmp_path / "lost.mp4", without=(10,))
    with open_video(tmp_path / "lost.mp4", motion=motion) as reader:
        frames = list(reader)
    assert 29 <= len(frames) <= 39


def test_a_broken_file_does_not_stay_open(tmp_path):
    path = audio_only(tmp_path / "a.m4a")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        with pytest.raises(SourceError):
            open_video(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_list_of_files_is_told_which_of_them_cannot_be_read(tmp_path):
    """FFmpeg says "operation not permitted" of a blank, and that the list itself is not there."""
    for name in ("a.mp4", "b c.mp4"):
        encode(tmp_path / name, moving(3))
    clips = tmp_path / "list.ffconcat"
    for name, fault in (
        ("'b c.mp4'", "names b c.mp4; FFmpeg takes names of files beside the list or below it, of letters, digits"),
        (str(tmp_path / "a.mp4"), "names of files beside the list or below it"),
        ("../a.mp4", "names of files beside the list or below it"),
        ("d.mp4", r"names d\.mp4, and there is no such file; names count from the list's folder"),
    ):
        clips.write_text(f"ffconcat version 1.0\nfile a.mp4\nfile {name}\n")
        with pytest.raises(SourceError, match=fault):
            refuse_missing(source_from_uri(clips))
    clips.write_text("ffconcat version 1.0\nfile a.mp4\nfile 'a.mp4'\n")
    refuse_missing(source_from_uri(clips))
    with open_video(clips) as reader:
        assert len(list(reader)) == 6


def test_a_pattern_of_numbers_that_fits_nothing_is_told_of_the_folder(tmp_path):
    (tmp_path / "f1.png").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"none in .* that fits the pattern; %d takes numbers of any width"):
        refuse_missing(source_from_uri(f"{tmp_path}/f%03d.png"))


@pytest.mark.parametrize(
    "typed",
    [
        "u:SECRET@10.0.0.1/x",
        "u:SECRET@cam/live/x.mp4",
        "u:SECRET@cam/x%03d.png",
        "u:SECRET@cam/*.png",
        "//u:SECRET@10.0.0.1/x",
        "rtsp//u:SECRET@cam/x",
        "rtsp;//u:SECRET@cam/x",
        "file:u:SECRET@cam/x.mp4",
        "file://u:SECRET@cam/x.mp4",
        "images://u:SECRET@cam",
        "images://u:SECRET@cam/x.png",
        "images://u:SECRET@cam/%d.png",
        "v4l2://u:SECRET@cam/x",
    ],
)
def test_what_is_said_of_a_source_that_is_not_there_holds_no_login(tmp_path, monkeypatch, typed):
    """A URL whose scheme was forgotten is a path: its folder was named, and the login is in that."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError) as told:
        open_video(typed)
    assert "SECRET" not in str(told.value)
    assert "***" in str(told.value)
