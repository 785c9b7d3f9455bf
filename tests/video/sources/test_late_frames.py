"""Which frames of a source that does not wait are delivered, how old they may be; their motion always counts."""

import time
from dataclasses import replace

import numpy as np
import pytest
from support.bundles.fake import write_fake_bundle
from support.clips.moving import encode, moving

from edge_arseg import Branch, EngineOptions, FrameStatistics, KeyAfterDrops, LiveOptions, OptionError, open_video
from edge_arseg.motion import Accumulator, KeyframePolicy
from edge_arseg.runtime.live.statistics import LiveStatistics
from edge_arseg.runtime.run import run_to_sinks
from edge_arseg.spec.frame import Frame, SegmentedFrame
from edge_arseg.video.delivery.room import NewestRoom, OrderedRoom
from edge_arseg.video.frames import Step
from edge_arseg.video.sinks.base import Sink

RATE = 25


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "moving.mp4"
    encode(path, moving(20, step=(3, 2)), rate=RATE)
    return path


def step(index, came_s):
    vectors = np.full(1, index, np.int32).view([("n", "<i4")])
    return Step(
        None, None, Frame(index, index / RATE, np.empty((0, 0, 3), np.uint8), vectors, arrived_s=came_s), None, None
    )


def numbers(missed):
    return [int(vectors["n"][0]) for vectors in missed]


def test_a_frame_that_is_too_old_is_dropped_and_its_motion_travels_with_the_next():
    room, now = NewestRoom("cam", 0.1), time.monotonic()
    room.put(step(0, now - 0.5))
    assert room.take() is None
    room.put(step(1, now - 0.4))
    room.put(step(2, now))
    taken, missed = room.take()
    assert (taken.rest.index, numbers(missed)) == (2, [0, 1])
    assert room.take() is None


def test_damage_in_a_dropped_frame_counts_for_the_next_one_that_is_delivered():
    """It was lost with the frame, and no keyframe followed: what it had broken was shown until the next one."""
    room = NewestRoom("cam", None)
    for index, damaged in enumerate((False, True, False)):
        one = step(index, 0.0)
        room.put(replace(one, rest=replace(one.rest, damaged=damaged)))
    assert room.take()[0].rest.damaged
    room.put(step(3, 0.0))
    assert not room.take()[0].rest.damaged


def test_that_every_frame_is_too_old_is_said_once(caplog):
    room = NewestRoom("cam", 0.1)
    room._given_s -= 10
    for index in range(3):
        room.put(step(index, time.monotonic() - 0.5))
        assert room.take() is None
    assert caplog.text.count("cam: no frame for 10 s, each was older than 100 ms when it was read") == 1


def test_a_room_in_order_drops_nothing_and_says_when_it_is_full():
    room = OrderedRoom()
    room.put(step(0, 0.0))
    assert not room.full
    room.put(step(1, 0.0))
    assert room.full
    assert [room.take()[0].rest.index for _ in range(2)] == [0, 1]
    assert room.take() is None


@pytest.mark.timed
def test_a_file_in_real_time_comes_at_its_own_rate_and_ends(clip):
    with open_video(clip, live=LiveOptions(realtime=True, on_late="block")) as reader:
        start = time.monotonic()
        frames = list(reader)
    assert [frame.index for frame in frames] == list(range(20))
    assert time.monotonic() - start == pytest.approx(19 / RATE, abs=0.3)
    arrivals = np.diff([frame.arrived_s for frame in frames])
    assert arrivals == pytest.approx(np.full(19, 1 / RATE), abs=1e-6)


def test_the_motion_of_skipped_frames_is_that_of_a_chain_over_all(clip):
    with open_video(clip, motion="recode") as reader:
        every = list(reader)
    with open_video(clip, motion="recode", live=LiveOptions(realtime=True)) as reader:
        chain, offline, followed = (*(Accumulator(reader.height, reader.width) for _ in range(2)), 0)
        for frame in reader:
            flow = chain.follow(frame).flow
            for one in every[followed : frame.index + 1]:
                expected = offline.follow(one).flow
            followed = frame.index + 1
            np.testing.assert_array_equal(flow, expected)
            time.sleep(0.1)
    assert followed >= 18  # the last ones may have been dropped
    assert followed > len(every) / 2


class Slow(Sink):
    def __init__(self, seconds):
        super().__init__("slow")
        self.seconds, self.results = seconds, []

    def _write(self, result):
        self.results.append(replace(result, class_map=None))
        time.sleep(self.seconds)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_fake_bundle(tmp_path_factory.mktemp("fake") / "fake.arseg")


def ran(bundle, clip, seconds, **live):
    sink = Slow(seconds)
    run = run_to_sinks(
        bundle, clip, [sink], engines=EngineOptions("graph", "fake"), policy=KeyframePolicy(50),
        live=LiveOptions(realtime=True, **live),
    )  # fmt: skip
    return run, sink.results


def test_a_slow_run_says_what_it_dropped_and_how_old_results_were(bundle, clip):
    run, results = ran(bundle, clip, 0.09, max_age_ms=60.0)
    gaps = np.diff([result.frame.index for result in results]) - 1
    assert [result.dropped for result in results[1:]] == gaps.tolist()
    assert run.live.dropped == sum(result.dropped for result in results) >= 5
    assert run.frames == run.live.frames == len(results)
    assert run.keyframes == 1
    assert all(0 < result.age_ms < 1000 for result in results)
    assert run.live.age_ms_p50 <= run.live.age_ms_p95
    assert f"{run.live.dropped} dropped, age " in run.live.words()


def test_after_drops_a_keyframe_may_be_forced_and_none_is_dropped_where_the_source_is_blocked(bundle, clip):
    _, forced = ran(bundle, clip, 0.09, on_late="force-hr")
    assert any(result.dropped for result in forced[1:])
    assert all((result.branch is Branch.HR) == (result.dropped > 0) for result in forced[1:])
    run, blocked = ran(bundle, clip, 0.05, on_late="block")
    assert [result.frame.index for result in blocked] == list(range(20))
    assert run.live.dropped == 0
    assert blocked[-1].age_ms > blocked[1].age_ms  # nobody catches up


def test_a_policy_behind_drops_asks_the_other_one_always():
    asked = []
    policy = KeyAfterDrops(lambda frame: asked.append(frame) or Branch.LR)
    assert [policy(FrameStatistics(2, dropped=n)) for n in (0, 3)] == [Branch.LR, Branch.HR]
    assert len(asked) == 2


def test_statistics_count_keyframes_that_came_later_and_results_that_are_late():
    statistics, empty = LiveStatistics(50.0), np.zeros((0, 0, 3), np.uint8)
    for index, distance in enumerate([0, 1, 2, 1, 2, 3]):
        age = 80.0 if index == 5 else 20.5
        branch = Branch.LR if index else Branch.HR
        statistics.add(SegmentedFrame(Frame(index, 0.0, empty), empty, branch, distance, 1.0, age_ms=age))
    figures = statistics.figures
    assert (figures.frames, figures.keyframes, figures.late) == (6, 2, 1)
    assert (figures.age_ms_p50, figures.age_ms_p95, figures.warp_error) == (20, 80, None)
    assert figures.words() == "0 dropped, age 20 ms, p95 80 ms, 1 too late"
    assert LiveStatistics().figures.words() == ""


@pytest.mark.parametrize(("branch", "keyframes"), [(Branch.HR, 5), (Branch.LR, 0)])
def test_one_branch_on_every_frame_makes_all_of_them_keyframes_or_none(branch, keyframes):
    """Distances are those that the policy would have; they are counted for scores."""
    statistics, empty = LiveStatistics(), np.zeros((0, 0, 3), np.uint8)
    for index, distance in enumerate([0, 1, 2, 0, 1]):
        statistics.add(SegmentedFrame(Frame(index, 0.0, empty), empty, branch, distance, 1.0))
    assert statistics.figures.keyframes == keyframes


def test_ages_beyond_two_seconds_are_told_to_a_hundredth():
    """They counted as two seconds, however far a run that blocks had fallen behind."""
    empty = np.zeros((0, 0, 3), np.uint8)
    for age_ms, told_ms in ((1999.9, 1999), (2000.0, 2000), (3250.0, 3224), (61e3, 60_710), (1e12, 603_298_092)):
        statistics = LiveStatistics()
        statistics.add(SegmentedFrame(Frame(0, 0.0, empty), empty, Branch.LR, 1, 1.0, age_ms=age_ms))
        assert statistics.figures.age_ms_p50 == told_ms


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"on_late": "never"}, "expected one of skip, force-hr, block"),
        ({"max_age_ms": 0.0}, "a greatest age of 0.0 seen, expected milliseconds, more than 0"),
        ({"timeout_s": -1.0}, "a timeout of -1.0 seen, expected seconds, more than 0"),
        ({"on_late": "block", "max_age_ms": 5.0}, "expected one of them"),
    ],
)
def test_wrong_options_are_refused(wrong, said):
    with pytest.raises(OptionError, match=said):
        LiveOptions(**wrong)
