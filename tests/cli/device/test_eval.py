import json

import numpy as np
import pytest
from evaluation.slow_scores import slow_confusion, slow_iou
from support.bundles.toy import moving_maps, write_image, write_label, write_toy_bundle

from edge_arseg.evaluation.labels.files import read_label
from edge_arseg.runtime.engines.opening import BACKENDS
from edge_arseg.runtime.segmenter import Segmenter
from edge_arseg.video.sources.street_clip import write_street


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Arguments that score eleven frames with the toy; ``images`` and ``labels`` lie in ``tmp_path``."""
    monkeypatch.setitem(BACKENDS, "toy", "support.bundles.toy:ToyEngine")
    for index, class_map in enumerate(moving_maps(11)):
        write_image(tmp_path / "images" / f"{index:06d}.png", class_map)
        write_label(tmp_path / "labels" / f"{index:06d}.png", class_map)
    bundle = write_toy_bundle(tmp_path / "toy.arseg")
    return "eval", "-b", bundle, "--backend", "toy", "--fusion", "graph", "--labels", tmp_path / "labels"


@pytest.fixture
def clip(toy, tmp_path):
    return *toy, "--fusion", "graph", "--motion", "zero", "--clip", f"images://{tmp_path}/images/%06d.png?rate=15"


def test_a_clip_as_json(edge_arseg, clip):
    answer = edge_arseg(*clip, "--phases", "all", "--json")
    assert answer.code == 0
    told = json.loads(answer.out)
    assert list(told["modes"]) == ["ar", "hr", "lr"]
    for found in told["modes"].values():
        assert {"miou", "per_class", "by_distance"} <= set(found)
        assert len(found["by_distance"]) == 4
        assert len(found["per_class"]) == 11
    assert told["modes"]["hr"]["miou"] == 100.0
    assert told["modes"]["ar"]["by_distance"][0] == 100.0 > told["modes"]["ar"]["by_distance"][1]
    assert told["bundle"] == "toy"
    assert len(told["digest"]) == 64
    assert told["conditions"]["phases"] == [0, 1, 2, 3]
    assert "ar, phase 3" in answer.err


def test_a_clip_as_tables(edge_arseg, clip):
    answer = edge_arseg(*clip, "--mode", "ar,hr")
    assert answer.code == 0
    for told in ("images/%06d.png", "mIoU by distance", "temporal consistency", "bicyclist", "zero: asked for"):
        assert told in answer.out
    assert "100.0" in answer.out


def test_an_interval_longer_than_the_clip_says_what_it_did_not_measure(edge_arseg, clip):
    answer = edge_arseg(*clip, "--mode", "ar,hr", "--interval", "40")
    assert "distances 11 to 39 from a keyframe: no scored frame lies there" in " ".join(answer.out.split())
    rows = answer.out.partition("mIoU by distance")[2].partition("IoU")[0].split("\n")
    assert [row.split()[0] for row in rows if row.strip()] == ["distance", *map(str, range(11))]
    told = json.loads(edge_arseg(*clip, "--mode", "ar", "--interval", "40", "--json").out)
    assert told["modes"]["ar"]["unmeasured"] == [[11, 39]]


def test_images_are_scored_by_the_branches_alone(edge_arseg, toy, tmp_path):
    answer = edge_arseg(*toy, "--images", tmp_path / "images", "--json")
    assert answer.code == 0
    told = json.loads(answer.out)
    assert list(told["modes"]) == ["hr", "lr"]
    assert told["modes"]["hr"]["miou"] == 100.0
    assert told["modes"]["hr"]["by_distance"] == []
    answer = edge_arseg(*toy, "--images", tmp_path / "images", "--mode", "lr")
    assert answer.code == 0
    assert "by distance" not in answer.out


def test_either_a_clip_or_images_must_be_named(edge_arseg, toy, clip, tmp_path):
    assert edge_arseg(*toy).code == 2
    answer = edge_arseg(*clip, "--images", tmp_path / "images")
    assert (answer.code, "either --clip or --images" in answer.err) == (2, True)
    answer = edge_arseg(*toy, "--images", tmp_path / "images", "--mode", "ar")
    assert (answer.code, "not defined for single images" in answer.err) == (2, True)
    for wrong in (("--phases", "4"), ("--mode", "x"), ("--encode", "fast"), ("--motion", "x"), ("--limit", "0")):
        assert edge_arseg(*clip, *wrong).code == 2, wrong


def test_bad_data_bad_bundle_bad_clip(edge_arseg, toy, clip, tmp_path):
    (tmp_path / "labels" / "000003.png").write_bytes(b"junk")
    answer = edge_arseg(*clip)
    assert (answer.code, "000003.png" in answer.err, answer.out) == (3, True, "")
    assert edge_arseg(*clip, "-b", tmp_path / "none.arseg").code == 3
    assert edge_arseg(*clip, "--labels", tmp_path / "none").code == 3
    assert edge_arseg(*toy, "--clip", tmp_path / "none.mp4").code == 4


def test_broken_chains_are_told(edge_arseg, toy, tmp_path):
    write_street(tmp_path / "clip.mp4", tmp_path / "street", size=(48, 64), count=8, gop=4)
    arguments = (*toy, "--clip", tmp_path / "clip.mp4", "--labels", tmp_path / "street", "--fusion", "graph")
    answer = edge_arseg(*arguments, "--mode", "ar", "--motion", "codec", "--phases", "1")
    assert answer.code == 0
    assert "breaks on 1 frame between keyframes" in answer.err
    answer = edge_arseg(*arguments, "--mode", "ar", "--motion", "codec", "--phases", "1", "--encode", "500k")
    assert answer.code == 0
    assert "breaks" not in answer.err
    assert "x264 medium" in answer.out


def test_a_real_bundle_scores_what_its_class_maps_score(edge_arseg, own_bundle, tmp_path):
    clip, labels = tmp_path / "clip.mp4", tmp_path / "labels"
    write_street(clip, labels, size=(90, 122), count=9, gop=5)
    answer = edge_arseg("eval", "-b", own_bundle, "--clip", clip, "--labels", labels, "--fusion", "graph", "--json")
    assert answer.code == 0
    told = json.loads(answer.out)["modes"]["ar"]
    counts = np.zeros((5, 11, 11), np.int64)
    with Segmenter(own_bundle, fusion="graph") as segmenter:
        for index, result in enumerate(segmenter.stream(clip)):
            counts[result.distance] += slow_confusion(result.class_map, read_label(labels / f"{index:06d}.png"), 11)
    for distance, found in enumerate(told["by_distance"]):
        ious = [slow_iou(counts[distance], c) for c in range(11)]
        assert found == pytest.approx(100 * np.nanmean(ious))
    assert told["maps"] == told["frames"] == 9
