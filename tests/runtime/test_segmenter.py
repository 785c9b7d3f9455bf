"""The owner of the engines: what it runs on, whose masks it gives, when engines are closed."""

import os
import time

import numpy as np
import pytest
from support.bundles.toy import GOP, HEIGHT, WIDTH, ToyEngine, write_toy_bundle
from support.clips.moving import encode, moving

from edge_arseg.errors import BuildError, OptionError
from edge_arseg.motion.keyframe import KeyframePolicy
from edge_arseg.motion.policies.adaptive import AdaptivePolicy
from edge_arseg.motion.policies.drops import KeyAfterDrops
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.choice.engine_choice import unproved
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.frame import Branch
from edge_arseg.video.delivery.options import LiveOptions

STREET = f"test://street?size={HEIGHT}x{WIDTH}&frames=10"
OPEN: list[str] = []


class CountedEngine(ToyEngine):
    """Says which engines are open."""

    def __init__(self, path, *, threads=None):
        super().__init__(path, threads=threads)
        OPEN.append(self.name)

    def close(self):
        if self.name in OPEN:
            OPEN.remove(self.name)


class FailingEngine(CountedEngine):
    def __init__(self, path, *, threads=None):
        if path.stem == "fuse":
            raise BuildError("no memory for fuse")
        super().__init__(path, threads=threads)


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    for name in ("Counted", "Failing"):
        monkeypatch.setitem(BACKENDS, name.lower(), f"{__name__}:{name}Engine")
    OPEN.clear()
    return write_toy_bundle(tmp_path / "toy.arseg")


def followed(results):
    return [(result.branch.value, result.distance, result.class_map.tobytes()) for result in results]


def test_masks_are_the_same_however_it_is_called(bundle):
    options = EngineOptions(fusion="graph", backend="counted")
    with Segmenter(bundle, fusion="graph", backend="counted") as segmenter:
        expected = followed(segmenter.stream(STREET))
        assert [(branch, distance) for branch, distance, _ in expected[: GOP + 1]] == [
            ("hr", 0), ("lr", 1), ("lr", 2), ("lr", 3), ("hr", 0),
        ]  # fmt: skip
        assert len({mask for _, _, mask in expected}) > 2
        with segmenter.open(STREET) as reader:
            assert followed(segmenter.segment(reader)) == expected
        assert followed(segmenter.stream(STREET)) == expected
    for what in (str(bundle), read_bundle(bundle)):
        with Segmenter(what, engines=options) as segmenter:
            assert followed(segmenter.stream(STREET)) == expected
    with Segmenter(unproved(read_bundle(bundle), options), mode=Mode.AR) as segmenter:
        assert followed(segmenter.stream(STREET)) == expected


def twin_of_one_that_has_none(segmenter):
    with pytest.raises(OptionError, match="shares no weights"):
        segmenter.twin()


@pytest.mark.parametrize("look", [lambda segmenter: segmenter.pipeline.label, twin_of_one_that_has_none])
def test_a_look_at_the_engines_leaves_the_keyframe_of_a_stream_alone(bundle, look):
    """They ran a black frame once, in the middle of the stream: frames up to the next keyframe were made of it."""
    with Segmenter(bundle, fusion="graph", backend="counted") as segmenter:
        expected = followed(segmenter.stream(STREET))
    with Segmenter(bundle, fusion="graph", backend="counted") as segmenter:
        found = []
        for result in segmenter.stream(STREET):
            found += followed([result])
            if result.distance == 1:
                look(segmenter)
    assert found == expected


def test_a_second_loop_ends_the_first_one_which_would_go_on_with_its_keyframe(bundle):
    with Segmenter(bundle, fusion="graph", backend="counted") as segmenter:
        expected = followed(segmenter.stream(STREET))
        first, second = segmenter.stream(STREET), segmenter.stream(STREET)
        next(first)
        found = followed([next(second)])
        with pytest.raises(OptionError, match=r"another loop has begun .*Segmenter\.twin"):
            next(first)
        assert found + followed(second) == expected


def test_one_that_was_left_half_way_is_in_nobodys_way(bundle):
    with Segmenter(bundle, fusion="graph", backend="counted") as segmenter:
        expected = followed(segmenter.stream(STREET))
        for left in (segmenter.stream(STREET), segmenter.stream(STREET)):
            next(left)
        assert followed(segmenter.stream(STREET)) == expected


def test_a_forked_process_is_refused_and_does_not_wait_for_threads_that_it_has_not(bundle):
    with Segmenter(bundle, fusion="graph", backend="counted") as segmenter:
        list(segmenter.stream(STREET))
        child = os.fork()
        if child == 0:
            try:
                next(segmenter.stream(STREET))
            except OptionError as error:
                os._exit(7 if "open a Segmenter in each" in str(error) else 1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_mode_may_be_its_name(bundle):
    with Segmenter(bundle, mode="hr", backend="counted") as segmenter:
        assert segmenter.pipeline.label == "hr, counted"
    for wrong in ("HR", "both", 5):
        with pytest.raises(OptionError, match=f"mode {wrong!r} seen, expected one of ar, hr, lr"):
            Segmenter(bundle, mode=wrong, backend="counted")


def test_what_is_no_policy_is_called_that(bundle):
    with pytest.raises(OptionError, match="keyframe policy 5 seen, expected a function of FrameStatistics"):
        Segmenter(bundle, fusion="graph", backend="counted", policy=5)


def test_options_come_one_way(bundle):
    with pytest.raises(OptionError, match="expected one of them"):
        Segmenter(bundle, engines=EngineOptions(backend="counted"), threads=1)


@pytest.mark.parametrize(
    ("mode", "opened", "label"),
    [
        (None, ["fuse", "hr", "lr"], "ar, graph fusion, counted"),
        (Mode.HR, ["hr"], "hr, counted"),
        (Mode.LR, ["lr", "lr_head"], "lr, graph head, counted"),
    ],
)
def test_it_opens_what_the_mode_needs_and_closes_it(bundle, mode, opened, label):
    with Segmenter(bundle, mode=mode, fusion="graph", backend="counted") as segmenter:
        assert (sorted(OPEN), segmenter.pipeline.label) == (opened, label)
        next(segmenter.stream(STREET))
    assert OPEN == []
    segmenter.close()


def test_engines_are_closed_where_the_caller_fails(bundle):
    def fail():
        with Segmenter(bundle, fusion="graph", backend="counted") as segmenter:
            next(segmenter.stream(STREET))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert OPEN == []


def test_engines_are_closed_where_one_does_not_open(bundle):
    with pytest.raises(BuildError, match="no memory for fuse"):
        Segmenter(unproved(read_bundle(bundle), EngineOptions(fusion="graph", backend="failing")))
    assert OPEN == []


class Changed:
    """A keyframe where the class map has moved away from the keyframe's: looks at what the last frame became."""

    def __init__(self):
        self.key, self.seen = None, []

    def __call__(self, frame):
        last = frame.last
        self.seen.append(None if last is None else (last.branch, last.distance))
        if last is None:
            return Branch.HR
        if last.distance == 0:
            self.key = np.array(last.class_map)
        enough = np.mean(last.class_map != self.key) > 0.1 or frame.distance >= 6
        return Branch.HR if enough else Branch.LR


def test_an_adaptive_policy_sees_what_the_last_frame_became(bundle):
    policy = Changed()
    with Segmenter(bundle, mode=Mode.AR, fusion="graph", backend="counted", policy=policy) as segmenter:
        distances = [result.distance for result in segmenter.stream(STREET)]
    # The toy's fusion gives the keyframe's classes, so nothing ever changes before the sixth frame.
    assert distances == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    assert policy.seen[0] is None
    assert policy.seen[1:4] == [(Branch.HR, 0), (Branch.LR, 1), (Branch.LR, 2)]
    assert len(policy.seen) == 10


def test_a_policy_counts_from_the_next_source_on(bundle):
    with Segmenter(bundle, fusion="graph", backend="counted", policy=lambda frame: Branch.LR) as segmenter:
        assert [result.distance for result in segmenter.stream(STREET)] == list(range(10))
        segmenter.policy = lambda frame: Branch.HR
        assert [result.distance for result in segmenter.stream(STREET)] == [0] * 10


@pytest.mark.parametrize(("on_late", "keyframe"), [("force-hr", True), ("skip", False)])
def test_a_frame_behind_dropped_ones_is_a_keyframe_where_that_is_asked_for(bundle, on_late, keyframe):
    """``stream`` took ``force-hr``, and did what ``skip`` does."""
    live = LiveOptions(on_late=on_late, realtime=True)
    with Segmenter(bundle, fusion="graph", backend="counted", policy=KeyframePolicy(1000, scene_cut=1.0)) as segmenter:
        branches = []
        for result in segmenter.stream(f"test://street?size={HEIGHT}x{WIDTH}&frames=40&rate=30&loop=2", live=live):
            if result.dropped:
                branches.append(result.branch)
            time.sleep(0.1)
    assert branches
    assert (set(branches) == {Branch.HR}) is keyframe


@pytest.mark.parametrize(
    ("policy", "anew"),
    [
        (KeyframePolicy(8, follow_codec=True), True),
        (AdaptivePolicy(8, follow_codec=True), True),
        (KeyAfterDrops(AdaptivePolicy(8, follow_codec=True)), True),
        (KeyAfterDrops(KeyframePolicy(8)), False),
        (lambda frame: Branch.LR, False),
    ],
)
def test_recoding_begins_anew_at_intra_frames_wherever_the_policy_makes_them_keyframes(bundle, tmp_path, policy, anew):
    """It did so for a ``KeyframePolicy`` alone: of others, pieces of a video differed from the whole."""
    clip = encode(tmp_path / "clip.mp4", moving(12), g=4, keyint_min=4, sc_threshold=0, bf=0)
    with (
        Segmenter(bundle, fusion="graph", backend="counted", policy=policy) as segmenter,
        segmenter.open(clip, motion="recode") as reader,
    ):
        alone = [frame.index for frame in reader if frame.vectors is None]
    assert alone == ([0, 4, 8] if anew else [0])
