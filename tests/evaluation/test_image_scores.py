import math
from dataclasses import replace

import av
import numpy as np
import pytest
from support.bundles.toy import HEIGHT, WIDTH, write_image, write_label

from edge_arseg.errors import DataError, OptionError
from edge_arseg.evaluation.image_scores import ImageOptions, scores_from_images
from edge_arseg.evaluation.labels.nearest import resized_map
from edge_arseg.runtime.engines.contract import EngineOptions


@pytest.fixture
def options(toy_backend):
    return ImageOptions(engines=EngineOptions(backend=toy_backend))


@pytest.fixture
def folders(clip, tmp_path):
    return tmp_path / "images", tmp_path / "labels"


def test_both_branches_are_scored(toy_bundle, folders, options):
    scores = scores_from_images(toy_bundle, *folders, options)
    assert list(scores.modes) == ["hr", "lr"]
    for found in scores.modes.values():
        assert found.miou == found.miou_pooled == 100.0
        assert (found.by_distance, found.worst_distance, found.frames) == ((), None, 11)
        assert math.isnan(found.temporal_consistency)
    assert scores.conditions.source == "images"
    assert scores.conditions.interval is None


def test_ar_is_not_defined_for_stills(toy_bundle, folders, options):
    with pytest.raises(OptionError, match=r"mode ar is not defined for single images.*--clip"):
        scores_from_images(toy_bundle, *folders, replace(options, modes=("ar", "hr")))


def test_images_of_any_size_pass_through_the_reader(toy_bundle, tmp_path, options, maps):
    flat = np.full((HEIGHT, WIDTH), 7, np.uint8)
    for name, factor in (("a", 1), ("b", 2), ("c", 3)):
        write_image(tmp_path / "i" / f"{name}.png", resized_map(flat, HEIGHT * factor, WIDTH * factor))
        write_label(tmp_path / "l" / f"{name}.png", resized_map(flat, HEIGHT * 2, WIDTH * 2))
    found = scores_from_images(toy_bundle, tmp_path / "i", tmp_path / "l", options).modes["hr"]
    assert found.miou == found.per_class["sign"] == 100.0 or found.per_class["fence"] == 100.0
    assert math.isnan(found.per_class["sky"])


@pytest.mark.parametrize(("ending", "codec"), [(".tif", "tiff"), (".ppm", "ppm"), (".bmp", "bmp")])
def test_images_end_as_those_of_a_source_may(toy_bundle, folders, options, ending, codec):
    images, labels = folders
    for path in sorted(images.iterdir()):
        new = str(path.with_suffix(ending))
        with av.open(str(path)) as given, av.open(new, "w", format="image2", options={"update": "1"}) as output:
            frame = next(given.decode(video=0)).reformat(format="rgb24" if codec != "bmp" else "bgr24")
            stream = output.add_stream(codec, 1)
            stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, frame.format.name
            frame.pts = None
            output.mux([*stream.encode(frame), *stream.encode(None)])
        path.unlink()
    assert scores_from_images(toy_bundle, images, labels, options).modes["hr"].miou == 100.0


def test_a_limit_takes_the_first(toy_bundle, folders, options):
    assert scores_from_images(toy_bundle, *folders, replace(options, limit=3)).modes["hr"].frames == 3


def test_all_faults_are_told_at_once(toy_bundle, folders, options, maps):
    images, labels = folders
    (images / "000001.png").unlink()
    (labels / "000002.png").unlink()
    (images / "000003.png").write_bytes(b"junk")
    write_label(labels / "000004.png", maps[0] + 40)
    write_image(images / "000005.jpg", maps[0])
    write_label(labels / "000006.png", maps[0, :10])
    with pytest.raises(DataError) as caught:
        scores_from_images(toy_bundle, images, labels, options)
    message = str(caught.value)
    assert "6 faults" in message
    for told in (
        "000001.png: a label without an image",
        "000002.png: an image without a label",
        "000003.png: FFmpeg can decode no picture of it",
        "000004.png: unknown label",
        "000005.png: the same name as 000005.jpg",
        "000006.png: 10x64 (rows x columns) is not the shape",
    ):
        assert told in message


def test_labels_without_their_images_are_refused(toy_bundle, folders, options, tmp_path, maps):
    write_label(tmp_path / "other" / "x.png", maps[0])
    with pytest.raises(DataError, match="a label without an image"):
        scores_from_images(toy_bundle, folders[0], tmp_path / "other", options)
