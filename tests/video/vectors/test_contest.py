"""``auto`` chooses between the stream's vectors and recoded ones by what they are worth, and not to and fro."""

import numpy as np
import pytest
from support.clips.moving import encode, moving

from edge_arseg.spec.frame import MotionSource
from edge_arseg.video import open_video
from edge_arseg.video.vectors import contest, source
from edge_arseg.video.vectors.contest import STEPS, Verdict

CODEC, RECODE = MotionSource.CODEC, MotionSource.RECODE
FLOW = (-3.0, -2.0)  # to the picture before, of a content that moves by (3, 2)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    encode(folder / "x264.mkv", moving(40), bf=0, refs=1, g=100)
    encode(folder / "mpeg4.mkv", moving(40), "mpeg4", g=100)
    encode(folder / "short.mkv", moving(40), bf=0, refs=1, g=5)
    return folder


@pytest.fixture
def spoilt(monkeypatch):
    """The stream's own vectors lie, where the test says so."""
    told = {"from": 1000, "to": 1000}
    read, count = source.vectors_from_picture, iter(range(10_000))

    def vectors(frame):
        found, index = read(frame), next(count)
        if found is not None and told["from"] <= index < told["to"]:
            found["flow_x"] += 6
        return found

    monkeypatch.setattr(source, "vectors_from_picture", vectors)
    monkeypatch.setattr(contest, "PAUSE", 3)
    return told


def sources(path):
    with open_video(path) as reader:
        frames = list(reader)
        flows = [frame.vectors for frame in frames[1:]]
        for vectors in flows:  # whatever is used, each leads to the frame before
            assert vectors is not None
        return [frame.source for frame in frames], flows, reader.motion_reason


def test_good_vectors_of_x264_stay_in_use(clips, caplog):
    used, _, reason = sources(clips / "x264.mkv")
    assert set(used) == {CODEC}
    assert "made by x264" in reason
    assert not caplog.text


def test_good_vectors_of_another_encoder_are_taken_after_one_round(clips):
    used, flows, reason = sources(clips / "mpeg4.mkv")
    assert used == [RECODE] * (STEPS + 1) + [CODEC] * (39 - STEPS)
    assert reason.startswith(f"changed over from recode at frame {STEPS + 1}: warp error ")
    for vectors in flows:
        assert np.median(vectors["flow_x"]) == pytest.approx(FLOW[0], abs=0.5)
        assert np.median(vectors["flow_y"]) == pytest.approx(FLOW[1], abs=0.5)


def test_vectors_that_lie_are_left_and_taken_again_when_they_are_right(clips, spoilt):
    spoilt.update({"from": 0, "to": 20})
    used, flows, reason = sources(clips / "x264.mkv")
    changes = [index for index in range(1, 40) if used[index] is not used[index - 1]]
    assert [used[0], *(used[index] for index in changes)] == [CODEC, RECODE, CODEC]
    assert changes[0] == STEPS + 1
    assert changes[1] > 20
    assert "changed over from recode" in reason
    for vectors in flows[changes[0] : changes[1]]:
        assert np.median(vectors["flow_x"]) == pytest.approx(FLOW[0], abs=0.5)


def test_a_stream_whose_intra_pictures_come_too_often_keeps_what_it_has(clips, monkeypatch):
    monkeypatch.setattr(contest, "PAUSE", 3)
    with open_video(clips / "short.mkv") as reader:
        assert {frame.source for frame in reader} == {CODEC}


def test_what_was_asked_for_is_never_changed(clips, spoilt):
    spoilt.update({"from": 0, "to": 1000})
    for motion in ("codec", "recode"):
        with open_video(clips / "x264.mkv", motion=motion) as reader:
            assert {frame.source.value for frame in reader} == {motion}


@pytest.mark.parametrize(
    ("own", "recoded", "codec_stays", "codec_taken"),
    [
        (4.0, 4.0, True, True),
        (4.5, 4.0, True, False),
        (5.4, 4.0, True, False),
        (5.6, 4.0, False, False),
        (3.0, 4.0, True, True),
    ],
)
def test_between_the_limits_nothing_changes(own, recoded, codec_stays, codec_taken):
    verdict = Verdict(own, recoded)
    assert (verdict.better(CODEC) is CODEC) == codec_stays
    assert (verdict.better(RECODE) is CODEC) == codec_taken
