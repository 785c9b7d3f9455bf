import json
import math
from dataclasses import replace

import numpy as np
import pytest
from evaluation.slow_scores import slow_confusion, slow_iou
from support.bundles.toy import GOP, HEIGHT, WIDTH, write_image, write_label

from edge_arseg.errors import DataError, OptionError, SourceError
from edge_arseg.evaluation.clip_scores import ClipOptions, scores_from_clip
from edge_arseg.evaluation.labels.nearest import resized_map
from edge_arseg.evaluation.scores import json_from_scores, unmeasured_distances
from edge_arseg.runtime.engines.contract import EngineOptions
from edge_arseg.video.sources.street_clip import write_street

ALL = tuple(range(GOP))


@pytest.fixture
def options(toy_backend):
    return ClipOptions(motion="zero", engines=EngineOptions("graph", toy_backend))


@pytest.fixture
def labels(tmp_path):
    return tmp_path / "labels"


def slow_miou(pairs):
    """Per cent of ``(predicted, label)`` pairs, in plain loops."""
    counts = sum(slow_confusion(predicted, label, 11) for predicted, label in pairs)
    ious = np.array([slow_iou(counts, c) for c in range(11)])
    return 100 * ious[~np.isnan(ious)].mean()


def keyframe_miou(maps, distance, phases, first):
    """What the toy's AR mode must score at a distance: the keyframe's map against each frame's label."""
    return slow_miou(
        (maps[i - distance], maps[i])
        for phase in phases
        for i in range(first, len(maps))
        if (i - phase) % GOP == distance
    )


def test_perfect_predictions_score_100(toy_bundle, clip, labels, options):
    scores = scores_from_clip(toy_bundle, clip, labels, options)
    assert list(scores.modes) == ["ar", "hr", "lr"]
    for mode in ("hr", "lr"):
        found = scores.modes[mode]
        assert found.miou == found.miou_pooled == 100.0
        assert found.by_distance == (100.0,) * GOP
        assert set(found.per_class.values()) == {100.0}
    assert scores.modes["ar"].by_distance[0] == 100.0
    assert scores.digest == toy_bundle.digest


@pytest.mark.parametrize("phases", [(0,), (1, 2), ALL])
def test_ar_is_scored_by_distance(toy_bundle, clip, labels, options, maps, phases):
    found = scores_from_clip(toy_bundle, clip, labels, replace(options, phases=phases)).modes["ar"]
    expected = [keyframe_miou(maps, d, phases, phases[-1]) for d in range(GOP)]
    assert found.by_distance == pytest.approx(expected)
    assert expected[0] == 100.0 > expected[1] > expected[2] > expected[3]
    assert found.miou == pytest.approx(np.mean(expected))
    assert found.worst_distance == 3
    assert found.frames == len(maps) - phases[-1]
    assert found.maps == found.frames * len(phases)


def test_shuffled_labels_do_not_score_100(toy_bundle, clip, labels, options, maps):
    order = np.random.default_rng(0).permutation(len(maps))
    for index, other in enumerate(order):
        write_label(labels / f"{index:06d}.png", maps[other])
    found = scores_from_clip(toy_bundle, clip, labels, options).modes["hr"]
    assert found.miou_pooled == pytest.approx(slow_miou((maps[i], maps[j]) for i, j in enumerate(order)))
    assert found.miou_pooled < 60


def test_one_run_of_a_branch_stands_for_all_phases(toy_bundle, clip, labels, options):
    runs = []
    options = replace(options, modes=("hr",), phases=ALL)
    together = scores_from_clip(toy_bundle, clip, labels, options, progress=lambda *step: runs.append(step))
    assert runs[-1] == (11, 11, "hr")
    apart = scores_from_clip(toy_bundle, clip, labels, replace(options, scene_cut=1.0))
    assert together.modes["hr"] == apart.modes["hr"]


def test_ignored_pixels_do_not_count(toy_bundle, clip, labels, options, maps):
    for index, class_map in enumerate(maps):
        label = (class_map + 1) % 11  # wrong everywhere ...
        label[:8] = class_map[:8]
        label[8:20], label[20:] = 11, 255  # ... but in ignored places
        write_label(labels / f"{index:06d}.png", label)
    scores = scores_from_clip(toy_bundle, clip, labels, replace(options, modes=("hr",)))
    assert scores.modes["hr"].miou == 100.0
    assert scores.conditions.counted == pytest.approx(100 * 8 / HEIGHT)


@pytest.mark.parametrize("factor", [0.5, 2])
def test_labels_of_another_size_are_scored_at_their_size(toy_bundle, clip, labels, options, maps, factor):
    height, width = int(HEIGHT * factor), int(WIDTH * factor)
    for index, class_map in enumerate(maps):
        write_label(labels / f"{index:06d}.png", resized_map(class_map, height, width))
    scores = scores_from_clip(toy_bundle, clip, labels, options)
    assert scores.modes["hr"].miou == 100.0
    assert scores.conditions.label_sizes == ((height, width),)


def test_frames_without_label_are_run_but_not_scored(toy_bundle, clip, labels, options, maps):
    for index in range(11):
        if index not in (2, 7):
            (labels / f"{index:06d}.png").unlink()
    found = scores_from_clip(toy_bundle, clip, labels, options).modes["ar"]
    assert found.frames == 2
    assert found.by_distance == pytest.approx(
        (np.nan, np.nan, slow_miou([(maps[0], maps[2])]), slow_miou([(maps[4], maps[7])])), nan_ok=True
    )
    assert found.miou == pytest.approx(np.mean(found.by_distance[2:]))
    assert found.unmeasured == ((0, 1),)


def test_a_limit_leaves_the_pairing_as_it_is(toy_bundle, clip, labels, options):
    scores = scores_from_clip(toy_bundle, clip, labels, replace(options, limit=5, modes=("hr",)))
    assert scores.modes["hr"].frames == 5
    assert scores.modes["hr"].miou == 100.0
    assert scores.conditions.limit == 5


def test_nothing_moves_nothing_flickers(toy_bundle, clip, labels, options, tmp_path, maps):
    for index in range(11):
        write_image(tmp_path / "images" / f"{index:06d}.png", maps[0])
        write_label(labels / f"{index:06d}.png", maps[0])
    for found in scores_from_clip(toy_bundle, clip, labels, options).modes.values():
        assert (found.temporal_consistency, found.flicker) == (100.0, 0.0)


def test_consistency_of_a_known_motion(toy_bundle, clip, labels, options, maps):
    """Without motion, HR agrees with the frame before where the bars overlap; AR changes on keyframes only."""
    found = scores_from_clip(toy_bundle, clip, labels, options).modes
    same = [np.mean(a == b) for a, b in zip(maps[1:], maps, strict=False)]
    assert found["hr"].temporal_consistency == pytest.approx(100 * np.mean(same))
    jumps = [np.mean(maps[key] == maps[key - GOP]) for key in (4, 8)]
    assert found["ar"].temporal_consistency == pytest.approx(100 * (8 + sum(jumps)) / 10)
    assert found["hr"].motion_source == "zero"
    assert found["hr"].motion_reason == "asked for"


def test_json_has_no_nan_and_the_promised_keys(toy_bundle, clip, labels, options):
    (labels / "000010.png").unlink()
    scores = scores_from_clip(toy_bundle, clip, labels, replace(options, limit=3))
    told = json.loads(json.dumps(json_from_scores(scores), allow_nan=False))
    assert told["digest"] == toy_bundle.digest
    for mode in ("ar", "hr", "lr"):
        assert {"miou", "per_class", "by_distance", "worst_distance", "temporal_consistency"} <= set(
            told["modes"][mode]
        )
        assert told["modes"][mode]["by_distance"][3] is None
    assert told["conditions"]["phases"] == [0]
    assert told["conditions"]["source"] == "images/%06d.png"


def test_encoded_anew_from_each_phase_on_no_chain_breaks(toy_bundle, toy_backend, tmp_path):
    write_street(tmp_path / "clip.mp4", tmp_path / "street", size=(HEIGHT, WIDTH), count=12, gop=GOP)
    options = ClipOptions(
        modes=("ar", "hr"), phases=(0, 1), motion="codec", engines=EngineOptions("graph", toy_backend)
    )
    clip, labels = tmp_path / "clip.mp4", tmp_path / "street"
    kept = scores_from_clip(toy_bundle, clip, labels, replace(options, modes=("ar",), phases=(0,)))
    assert kept.modes["ar"].broken_steps == 0
    broken = scores_from_clip(toy_bundle, clip, labels, options)
    assert broken.modes["ar"].broken_steps == 2  # frames 4 and 8, between the keyframes of phase 1
    assert broken.modes["hr"].broken_steps == 0
    anew = scores_from_clip(toy_bundle, clip, labels, replace(options, encode_bitrate=200_000))
    assert anew.modes["ar"].broken_steps == 0
    assert anew.modes["ar"].motion_source == "codec"
    assert anew.modes["ar"].maps == anew.modes["hr"].maps == 22
    assert anew.conditions.encoding == "x264 medium, no B-frames, 1 reference, GOP 4, 0.2 Mbit/s"


def test_bad_labels_are_all_told_before_the_first_frame_runs(toy_bundle, clip, labels, options, maps):
    write_label(labels / "000001.png", maps[0] + 20)
    (labels / "000003.png").write_bytes(b"junk")
    write_label(labels / "000005.png", maps[0, :, :20])
    steps = []
    with pytest.raises(DataError) as caught:
        scores_from_clip(toy_bundle, clip, labels, options, progress=lambda *step: steps.append(step))
    assert not steps
    for name in ("000001.png", "000003.png", "000005.png"):
        assert name in str(caught.value)


def test_a_missing_label_never_shifts_the_others(toy_bundle, clip, labels, options):
    for path in sorted(labels.iterdir()):
        path.rename(labels / f"seq_{path.name}")
    assert scores_from_clip(toy_bundle, clip, labels, options).modes["hr"].miou == 100.0
    (labels / "seq_000004.png").unlink()
    with pytest.raises(DataError, match="10 labels for 11 frames"):
        scores_from_clip(toy_bundle, clip, labels, options)


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"phases": (GOP,)}, OptionError, "from 0 to 3"),
        ({"phases": ()}, OptionError, "phases"),
        ({"modes": ("best",)}, OptionError, "mode 'best' seen"),
        ({"limit": 2, "phases": (0, 3)}, OptionError, "smaller --phases"),
        ({"scene_cut": 2.0}, OptionError, "scene-cut"),
        ({"engines": EngineOptions(backend="none")}, OptionError, "backend"),
        ({"motion": "codec"}, SourceError, "--motion recode"),
    ],
)
def test_options_that_cannot_be_used(toy_bundle, clip, labels, options, changed, error, told):
    with pytest.raises(error, match=told):
        scores_from_clip(toy_bundle, clip, labels, replace(options, **changed))


def test_sources_that_cannot_be_used(toy_bundle, clip, labels, options, tmp_path):
    with pytest.raises(OptionError, match="record it to a file"):
        scores_from_clip(toy_bundle, "rtsp://localhost/x", labels, options)
    with pytest.raises(SourceError, match="no such file"):
        scores_from_clip(toy_bundle, tmp_path / "none.mp4", labels, options)
    with pytest.raises(DataError, match="no such folder"):
        scores_from_clip(toy_bundle, clip, tmp_path / "none", options)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no file ends in \.png"):
        scores_from_clip(toy_bundle, clip, tmp_path / "empty", options)


def test_an_interval_beyond_every_clip_is_one_keyframe(toy_bundle, clip, labels, options):
    found = scores_from_clip(toy_bundle, clip, labels, replace(options, interval=10**12)).modes["ar"]
    assert (found.frames, len(found.by_distance)) == (11, 1000)
    assert found.unmeasured == ((11, 10**12 - 1),)


@pytest.mark.parametrize(
    ("by_distance", "interval", "ranges"),
    [
        ((1.0, 2.0), 2, ()),
        ((1.0, math.nan, 2.0, math.nan, math.nan), 5, ((1, 1), (3, 4))),
        ((1.0, math.nan), 9, ((1, 8),)),
        ((1.0, 2.0), 9, ((2, 8),)),
    ],
)
def test_distances_that_do_not_occur_are_named(by_distance, interval, ranges):
    assert unmeasured_distances(by_distance, interval) == ranges
