import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from motion.motion_vectors import covering

from edge_arseg.cli.run.run import run
from edge_arseg.errors import OptionError
from edge_arseg.motion import FrameStatistics, KeyframePolicy, MotionChain, branch_from_statistics
from edge_arseg.spec.frame import Branch, Frame

both = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.parametrize(
    ("statistics", "branch"),
    [
        (FrameStatistics(None), Branch.HR),
        (FrameStatistics(1), Branch.LR),
        (FrameStatistics(11), Branch.LR),
        (FrameStatistics(12), Branch.HR),
        (FrameStatistics(40), Branch.HR),
        (FrameStatistics(3, intra_ratio=0.3), Branch.LR),
        (FrameStatistics(3, intra_ratio=0.29), Branch.LR),
        (FrameStatistics(3, intra_ratio=0.31), Branch.HR),
        (FrameStatistics(3, intra=True), Branch.LR),
        (FrameStatistics(3, damaged=True), Branch.LR),
        (FrameStatistics(3, damaged=True, damaged_since=True), Branch.LR),
        (FrameStatistics(3, damaged_since=True), Branch.HR),
        (FrameStatistics(12, damaged=True), Branch.HR),
    ],
)
def test_default_policy(statistics, branch):
    assert branch_from_statistics(statistics, KeyframePolicy()) is branch


def test_the_command_has_the_same_limit_of_scene_cuts():
    (option,) = (one for one in run.params if one.name == "scene_cut")
    assert option.default == KeyframePolicy().scene_cut


def test_following_the_codec_is_optional():
    frame = FrameStatistics(3, intra=True)
    assert branch_from_statistics(frame, KeyframePolicy(follow_codec=True)) is Branch.HR


@pytest.mark.parametrize(
    "values", [{"interval": 0}, {"interval": float("nan")}, {"scene_cut": -0.1}, {"scene_cut": 1.5}]
)
def test_values_out_of_range_are_refused(values):
    with pytest.raises(OptionError, match="expected"):
        KeyframePolicy(**values)


def followed(chain, frames):
    return [chain.follow(frame)[0] for frame in frames]


def still(index, **values):
    return Frame(index, index / 25, np.zeros((32, 32, 3), np.uint8), **{"vectors": covering(32, 32, 1, 0), **values})


@both
@given(st.integers(1, 15), st.lists(st.integers(1, 5), min_size=1, max_size=60))
def test_keyframes_are_at_most_the_interval_apart(interval, gaps):
    chain = MotionChain(32, 32, policy=KeyframePolicy(interval=interval))
    key = None
    for index in np.cumsum([0, *gaps]).tolist():
        branch, _ = chain.follow(still(index))
        if branch is Branch.HR:
            key = index
        assert key is not None
        assert index - key < interval


def test_a_damaged_frame_makes_the_next_sound_one_a_keyframe():
    frames = [still(0), still(1), still(2, damaged=True), still(3, damaged=True), still(4), still(5)]
    assert [b.value for b in followed(MotionChain(32, 32), frames)] == ["hr", "lr", "lr", "lr", "hr", "lr"]


def test_a_damaged_keyframe_is_replaced():
    frames = [still(0, damaged=True), still(1), still(2)]
    assert [b.value for b in followed(MotionChain(32, 32), frames)] == ["hr", "hr", "lr"]


def test_a_frame_without_vectors_is_a_keyframe():
    frames = [still(0), still(1), still(2, vectors=None), still(3)]
    assert [b.value for b in followed(MotionChain(32, 32), frames)] == ["hr", "lr", "hr", "lr"]


def test_the_flow_starts_at_the_last_keyframe():
    chain = MotionChain(32, 32, policy=KeyframePolicy(interval=3))
    seen = [chain.follow(still(index))[1].flow[2, 2, 0].item() for index in range(7)]
    assert seen == [0, 1, 2, 0, 1, 2, 0]
