"""``--stream`` in every verb that reads a video."""

import json

import numpy as np
import pytest
from support.bundles.fake import FAKE
from video.decoding.test_streams import several

from edge_arseg.video import open_video
from edge_arseg.video.sinks.class_ids.png import png_from_indices


@pytest.fixture
def clip(tmp_path):
    """Stream 0 has 6 grey pictures of 64x48, stream 1 as many of 128x96 and twice as bright."""
    return several(tmp_path / "a.mkv", (64, 48), (128, 96))


def level(path):
    """Mean of the overlay; what it writes on the picture covers most of one so small, and is the same in all."""
    with open_video(path) as reader:
        return next(reader).rgb.mean()


def test_run_takes_the_largest_or_the_one_that_is_named(run, clip, tmp_path, caplog):
    answer = run(clip, tmp_path / "a.mp4", "--alpha", 0)
    assert answer.code == 0, answer.err
    assert [record.getMessage() for record in caplog.records] == [
        f"{clip}: taking stream 1 (h264, 128x96) and not stream 0 (h264, 64x48); --stream N takes stream N"
    ]
    answer = run(clip, tmp_path / "b.mp4", "--alpha", 0, "--stream", 0)
    assert answer.code == 0, answer.err
    assert level(tmp_path / "b.mp4") < level(tmp_path / "a.mp4") - 3
    assert len(caplog.records) == 1


def test_a_stream_that_is_none_is_a_wrong_option(run, clip):
    answer = run(clip, "null://", "--stream", 5)
    assert answer.code == 2
    assert "its stream 5 is no video" in answer.err


def test_the_other_verbs_have_it_too(edge_arseg, fake_bundle, clip, tmp_path):
    named = ("-b", fake_bundle, *FAKE, "--stream", 0, "--json")
    answer = edge_arseg("bench", clip, "--frames", 4, *named)
    assert json.loads(answer.out)["runs"][0]["settings"]["stream"] == 0
    assert edge_arseg("demo", clip, "-o", tmp_path / "demo", *named).code == 0
    labels = tmp_path / "labels"
    labels.mkdir()
    for n in range(6):
        (labels / f"{n}.png").write_bytes(png_from_indices(np.zeros((48, 64), np.uint8), bytes(768)))
    for encode in ((), ("--encode", "200k")):
        answer = edge_arseg("eval", "--clip", clip, "--labels", labels, "--phases", "0", *encode, *named)
        assert answer.code == 0, answer.err
    for words in (("bench", clip, "--frames", 4), ("demo", clip, "-o", tmp_path / "other"),
                  ("eval", "--clip", clip, "--labels", labels)):  # fmt: skip
        answer = edge_arseg(*words, "-b", fake_bundle, *FAKE, "--stream", 3)
        assert (answer.code, "its stream 3 is no video" in answer.err) == (2, True)
