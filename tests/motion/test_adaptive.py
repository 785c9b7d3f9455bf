"""Keyframes where they pay: as many as were aimed at, closer where the keyframe predicts badly."""

import numpy as np
import pytest

from edge_arseg import AdaptivePolicy, Branch, FrameStatistics, KeyAfterDrops, OptionError


def keyframes(policy, errors):
    """Frames that become keyframes, where the error of a frame ``d`` behind its keyframe is ``d`` times ``errors``."""
    found, distance = [], None
    for index, error in enumerate(errors):
        warp_error = None if distance is None else distance * error
        if policy(FrameStatistics(distance, warp_error=warp_error)) is Branch.HR:
            found.append(index)
            distance = 0
        distance += 1
    return found


def test_where_all_is_the_same_they_are_as_far_apart_as_was_asked():
    assert keyframes(AdaptivePolicy(8), [2.0] * 41) == [0, 8, 16, 24, 32, 40]


@pytest.mark.parametrize("scale", [0.2, 1.0, 20.0])
def test_hard_stretches_get_more_of_them_and_their_number_stays_whatever_the_level_of_the_errors(scale):
    errors = np.tile(np.repeat([0.5, 3.0], 48), 8) * scale
    found = keyframes(AdaptivePolicy(8), errors.tolist())
    hard = sum(errors[index] > scale for index in found)
    assert hard > 1.5 * (len(found) - hard)
    assert len(errors) / 8 == pytest.approx(len(found), rel=0.15)
    assert min(np.diff(found)) >= 4
    assert max(np.diff(found)) <= 20


def test_cuts_and_damage_make_keyframes_and_a_new_source_begins_anew():
    policy = AdaptivePolicy(8)
    assert policy(FrameStatistics(None)) is Branch.HR
    assert policy(FrameStatistics(1, intra_ratio=0.8, warp_error=50.0)) is Branch.HR
    assert policy(FrameStatistics(1, warp_error=1.0, damaged_since=True)) is Branch.HR
    assert [policy(FrameStatistics(d, warp_error=99.0 if d < 3 else 0.1)) for d in range(1, 8)] == [Branch.LR] * 7
    assert policy(FrameStatistics(8, warp_error=0.1)) is Branch.HR  # its first stretch is as long as was asked
    assert policy(FrameStatistics(None)) is Branch.HR
    assert [policy(FrameStatistics(d, warp_error=5.0)) for d in range(1, 8)] == [Branch.LR] * 7


def test_an_error_that_jumps_is_a_cut_that_vectors_do_not_show():
    policy = AdaptivePolicy(8)
    assert policy(FrameStatistics(None)) is Branch.HR
    branches = [policy(FrameStatistics(d, warp_error=e)) for d, e in enumerate([4.0, 6.0, 7.0, 30.0], 1)]
    assert branches == [Branch.LR, Branch.LR, Branch.LR, Branch.HR]
    assert policy(FrameStatistics(1, warp_error=30.0)) is Branch.LR  # the first one has none to be compared with
    assert policy(FrameStatistics(2, warp_error=0.1)) is Branch.LR
    assert policy(FrameStatistics(3, warp_error=4.9)) is Branch.LR  # too little to be one


def test_dropped_frames_count_as_if_they_had_been_seen():
    policy = AdaptivePolicy(8)
    keyframes(policy, [1.0] * 17)  # learns a budget of 36
    assert policy(FrameStatistics(None)) is Branch.HR
    for d in range(1, 9):
        branch = policy(FrameStatistics(d, warp_error=float(d)))
    assert branch is Branch.HR
    assert policy(FrameStatistics(4, warp_error=4.0, dropped=3)) is Branch.LR
    assert policy(FrameStatistics(6, warp_error=12.0, dropped=1)) is Branch.HR


def test_a_keyframe_behind_drops_starts_the_sum_anew():
    """The errors before it counted on: the next keyframe came after seven frames, where the budget is that of eight."""
    policy = AdaptivePolicy(8)
    keyframes(policy, [1.0] * 17)  # learns a budget of 36
    behind = KeyAfterDrops(policy)
    assert [behind(FrameStatistics(d, warp_error=float(d))) for d in range(1, 5)] == [Branch.LR] * 4
    assert behind(FrameStatistics(6, warp_error=0.0, dropped=1)) is Branch.HR
    branches = [behind(FrameStatistics(d, warp_error=float(d))) for d in range(1, 9)]
    assert branches == [Branch.LR] * 7 + [Branch.HR]


def test_an_interval_that_leaves_no_room_is_refused():
    with pytest.raises(OptionError, match="an average keyframe interval of 1 seen, expected frames, 2 or more"):
        AdaptivePolicy(1)
    with pytest.raises(OptionError, match="an average keyframe interval of nan seen, expected frames, 2 or more"):
        AdaptivePolicy(float("nan"))
