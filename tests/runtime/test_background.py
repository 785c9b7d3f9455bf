"""Keyframes made beside the frames that follow them: when they count, and that motion is chained from both."""

import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from support.bundles.fake import HEIGHT, WIDTH, write_fake_bundle

from edge_arseg.errors import BuildError
from edge_arseg.motion import Accumulator, KeyframePolicy
from edge_arseg.runtime import background
from edge_arseg.runtime.background import BackgroundKeyPipeline, open_background_pipeline
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.engines.contract import EngineOptions, Place
from edge_arseg.runtime.engines.fake import FakeEngine
from edge_arseg.runtime.engines.opening import engines_from_bundle
from edge_arseg.runtime.fusion.contract import Fusion
from edge_arseg.runtime.mode import Mode
from edge_arseg.runtime.pipeline import ArPipeline, open_pipeline
from edge_arseg.runtime.segment import segment
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.spec.manifest import Role
from edge_arseg.video.reader import open_video

FAKE = EngineOptions(fusion="graph", backend="fake")
EVERY_SIX = KeyframePolicy(interval=6)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return read_bundle(write_fake_bundle(tmp_path_factory.mktemp("fake") / "fake.arseg"))


@pytest.fixture(scope="module")
def frames():
    with open_video(f"test://street?size={HEIGHT}x{WIDTH}&frames=20", size=(HEIGHT, WIDTH)) as reader:
        return list(reader)


class Later(Executor):
    """Passes that take so many frames: done when they have been asked for more often than that."""

    def __init__(self, frames):
        self._frames = frames

    def submit(self, work):
        class Pass(Future):
            asked = 0

            def done(future):  # noqa: N805
                future.asked += 1
                if future.asked == self._frames + 1:
                    future.set_result(work())
                return super().done()

        return Pass()


class RecordedFusion(Fusion):
    """Keeps the first value of the keyframe's feature, and the flow."""

    name = "recorded"

    def __init__(self, manifest):
        self.seen, self._class_map = [], np.zeros((manifest.height, manifest.width), np.uint8)

    @classmethod
    def open(cls, bundle, options):
        raise NotImplementedError

    def class_map(self, key_feature, flow, lr_feature, clock):
        self.seen.append((float(key_feature.flat[0]), flow.copy()))
        return self._class_map

    def close(self):
        pass


def recorded(bundle, kind, **beside):
    engines = engines_from_bundle(bundle, (Role.HR, Role.LR), backend="fake")
    return kind(bundle.manifest, engines, RecordedFusion(bundle.manifest), backend="fake", **beside)


def features_of_keyframes(bundle, frames):
    """First value of the HR feature of each frame."""
    hr = FakeEngine.from_bundle(bundle, Role.HR)
    return [float(hr.run({"frame": frame.rgb})["feature"].flat[0]) for frame in frames]


def test_an_hr_pass_that_takes_no_time_equals_the_plain_mode_bit_for_bit(bundle, frames):
    plain, beside = recorded(bundle, ArPipeline), recorded(bundle, BackgroundKeyPipeline, beside=Later(0))
    results = [
        [(r.branch, r.distance, r.class_map.copy()) for r in segment(frames, pipeline, EVERY_SIX)]
        for pipeline in (plain, beside)
    ]
    for (branch, distance, class_map), other in zip(*results, strict=True):
        assert (branch, distance) == other[:2]
        np.testing.assert_array_equal(class_map, other[2])
    for (feature, flow), other in zip(plain._fusion.seen, beside._fusion.seen, strict=True):
        assert feature == other[0]
        np.testing.assert_array_equal(flow, other[1])


@pytest.mark.parametrize("delay", [1, 2, 4])
def test_a_pass_of_n_frames_counts_after_n_frames_and_both_flows_are_those_of_an_offline_chain(bundle, frames, delay):
    pipeline = recorded(bundle, BackgroundKeyPipeline, beside=Later(delay))
    distances = [result.distance for result in segment(frames, pipeline, EVERY_SIX)]
    used = [0 if t < 6 + delay else 6 if t < 12 + delay else 12 if t < 18 + delay else 18 for t in range(20)]
    assert distances == [t - key for t, key in enumerate(used)]
    features = features_of_keyframes(bundle, frames)
    assert len(set(features)) > 2
    assert [feature for feature, _ in pipeline._fusion.seen] == [features[key] for key in used[1:]]
    for t, (_, flow) in enumerate(pipeline._fusion.seen, 1):
        offline = Accumulator(HEIGHT, WIDTH, block=bundle.manifest.flow_block)
        for frame in frames[used[t] + 1 : t + 1]:
            field = offline.follow(frame)
        np.testing.assert_array_equal(flow, field.flow)


def test_a_keyframe_that_cannot_wait_is_made_at_its_frame_and_the_one_under_way_is_given_up(bundle, frames):
    cut = [replace(frame, vectors=None) if frame.index == 8 else frame for frame in frames[:12]]
    hold = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold.wait)  # the pass begun at frame 6 waits behind this
        pipeline = recorded(bundle, BackgroundKeyPipeline, beside=pool)
        results = segment(cut, pipeline, EVERY_SIX)
        assert [(r.branch.value, r.distance) for r in islice(results, 8)][6:] == [("lr", 6), ("lr", 7)]
        hold.set()
        assert [(r.branch.value, r.distance) for r in islice(results, 3)] == [("hr", 0), ("lr", 1), ("lr", 2)]
    features = features_of_keyframes(bundle, frames)
    assert [feature for feature, _ in pipeline._fusion.seen[-2:]] == [features[8]] * 2


def test_a_pass_that_fails_ends_the_loop(bundle, frames):
    pipeline = recorded(bundle, BackgroundKeyPipeline, beside=Later(1))
    run = pipeline._hr._run
    pipeline._hr._run = lambda feeds: (_ for _ in ()).throw(BuildError("gone")) if feeds else run(feeds)
    with pytest.raises(BuildError, match="gone"):
        list(segment(frames, pipeline, EVERY_SIX))


@pytest.mark.parametrize(
    ("cores", "place", "said"), [(1, Place.HOST, "one core"), (8, Place.CUDA, "engines of fake share one GPU")]
)
def test_where_no_core_is_left_keyframes_are_made_at_their_frame_and_the_log_says_so(
    bundle, monkeypatch, caplog, cores, place, said
):
    monkeypatch.setattr(background, "usable_cores", lambda: cores)
    monkeypatch.setattr(FakeEngine, "feature_place", place)
    with open_background_pipeline(bundle, Mode.AR, FAKE) as pipeline:
        assert type(pipeline) is ArPipeline
    assert said in caplog.text


def test_the_cores_are_shared_out(bundle, monkeypatch):
    asked = []
    from_bundle = FakeEngine.from_bundle.__func__
    monkeypatch.setattr(
        FakeEngine,
        "from_bundle",
        classmethod(
            lambda cls, b, role, *, threads=None: (asked.append((role.value, threads)), from_bundle(cls, b, role))[1]
        ),
    )
    with open_background_pipeline(bundle, None, replace(FAKE, threads=6)) as pipeline:
        assert pipeline.label == "ar, graph fusion, fake, keyframes in the background"
    assert asked == [("hr", 3), ("lr", 3), ("fuse", 3)]


def test_a_segmenter_with_background_keyframes_gives_every_frame_and_closes(bundle):
    with Segmenter(bundle.path, engines=replace(FAKE, threads=2), background=True) as segmenter:
        results = [r.distance for r in segmenter.stream(f"test://street?size={HEIGHT}x{WIDTH}&frames=9")]
    assert len(results) == 9
    assert results[0] == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("keyframes")]


def test_the_plain_pipeline_never_begins_a_keyframe_elsewhere(bundle):
    with open_pipeline(bundle, Mode.AR, FAKE) as pipeline:
        assert not pipeline.begin_key(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
        assert pipeline.key_come() is None
