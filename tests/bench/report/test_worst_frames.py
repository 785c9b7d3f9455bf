"""The worst frames of a record, segmented again and drawn beside their labels."""

import re

import numpy as np
import pytest
from support.bundles.fake import FAKE, GOP, HEIGHT, WIDTH, write_fake_bundle

from edge_arseg import KeyframePolicy, Mode, Segmenter
from edge_arseg.bench.record_files.reading import read_record, read_samples
from edge_arseg.bench.report.worst_frames import worst_frames
from edge_arseg.evaluation.labels.files import read_label
from edge_arseg.video.sinks.class_ids.png import png_from_indices

CLIP = f"test://street?size={HEIGHT}x{WIDTH}&frames=7"
PALETTE = bytes(range(256)) * 3


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_fake_bundle(tmp_path_factory.mktemp("worst") / "fake.arseg")


@pytest.fixture(scope="module")
def labels(bundle, tmp_path_factory):
    """What AR gives with keyframes on frames 0 and 4, spoilt by so many rows that frame 5 is the worst, then 2."""
    folder = tmp_path_factory.mktemp("labels")
    with Segmenter(bundle, backend="fake", fusion="graph", policy=KeyframePolicy(GOP, 1.0)) as segmenter:
        for result in segmenter.stream(CLIP):
            label = result.class_map.copy()
            spoilt = {5: 30, 2: 20}.get(result.frame.index, 0)
            label[:spoilt] = 10 - label[:spoilt]
            (folder / f"{result.frame.index:06d}.png").write_bytes(png_from_indices(label, PALETTE))
    return folder


def test_the_worst_frames_are_segmented_as_they_were_scored(edge_arseg, bundle, labels, tmp_path):
    record = tmp_path / "r.json"
    measured = ("bench", CLIP, "-b", bundle, *FAKE, "--mode", "ar", "--frames", 8, "--labels", labels, "-o", record)
    answer = edge_arseg(*measured)
    assert answer.code == 0, answer.err
    pictures = worst_frames([(read_record(record), read_samples(record))], bundle, CLIP, labels)
    assert [re.search(r"frame (\d), distance (\d)", one.title).groups() for one in pictures[:2]] == [
        ("5", "1"),
        ("2", "2"),
    ]
    names = list(pictures[0].panels)
    assert names[:3] == ["frame", "label", "prediction"]
    with Segmenter(bundle, mode=Mode.AR, backend="fake", fusion="graph", policy=KeyframePolicy(GOP, 1.0)) as segmenter:
        expected = next(r.class_map.copy() for r in segmenter.stream(CLIP) if r.frame.index == 5)
    for name, right in (("prediction", expected), ("label", read_label(labels / "000005.png"))):
        (tmp_path / "map.png").write_bytes(pictures[0].panels[name])
        np.testing.assert_array_equal(read_label(tmp_path / "map.png"), right)
    wrong = 100 * (expected != read_label(labels / "000005.png")).mean()
    assert names[3] == f"difference: {wrong:.1f} % of the pixels"


def test_pictures_of_another_bundle_are_refused(edge_arseg, bundle, labels, tmp_path):
    record = tmp_path / "r.json"
    assert edge_arseg("bench", CLIP, "-b", bundle, *FAKE, "--mode", "hr", "--frames", 8, "-o", record).code == 0
    answer = edge_arseg("report", record, "-o", tmp_path / "r.html", "--worst", bundle, CLIP, labels)
    assert (answer.code, (tmp_path / "r.html").exists()) == (3, False)  # it was not scored
    assert "measured with --labels" in answer.err
    assert edge_arseg("report", record, "-o", tmp_path / "r.md", "--worst", bundle, CLIP, labels).code == 2
