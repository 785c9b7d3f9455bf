"""Accuracy beside the speed of the same bundle."""

import json
import re

import pytest
from support.bench.tiny import SOURCE
from support.bundles.fake import FAKE, GOP

from edge_arseg.bench.accuracy.joined import accuracy_of
from edge_arseg.bench.plans.plan import facts_of
from edge_arseg.errors import DataError
from edge_arseg.runtime.bundles.reading import read_bundle


def scores_of(bundle, digest):
    one = {
        "miou": 61.5, "miou_pooled": 62.0, "per_class": {"road": 90.0},
        "by_distance": [63.0, 60.0], "worst_distance": 1,
        "temporal_consistency": 98.0, "flicker": 0.5, "frames": 7, "worst_frames": [],
    }  # fmt: skip
    conditions = {"source": "c.mp4", "phases": [0], "interval": GOP, "scene_cut": None}
    return {"bundle": "x", "digest": digest, "conditions": conditions, "modes": {"ar": one}}


def test_speed_beside_the_accuracy_of_another_bundle_is_refused(bundle, tmp_path, edge_arseg):
    facts = facts_of(read_bundle(bundle))
    assert accuracy_of(scores_of(bundle, facts.digest), "ar", facts, interval=GOP, where="s").miou == 61.5
    with pytest.raises(DataError, match="speed and accuracy must be of one bundle"):
        accuracy_of(scores_of(bundle, "0" * 64), "ar", facts, interval=GOP, where="s")
    scores = tmp_path / "s.json"
    scores.write_text(json.dumps(scores_of(bundle, "0" * 64)))
    words = ("bench", SOURCE, "-b", bundle, *FAKE, "--frames", 8, "--mode", "ar", "--scores", scores)
    answer = edge_arseg(*words, "-o", tmp_path / "r.json")
    assert (answer.code, answer.out) == (3, "")
    assert [file.name for file in tmp_path.iterdir()] == ["s.json"]
    scores.write_text(json.dumps(scores_of(bundle, facts.digest)))
    record = json.loads(edge_arseg(*words, "--json").out)
    assert record["runs"][0]["accuracy"]["miou"] == 61.5
    assert record["runs"][0]["accuracy"]["digest"] == record["runs"][0]["bundle"]["digest"]


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("conditions", "interval"), 12, "scores with a keyframe every 12 frames seen, but one every 4 is timed"),
        (("conditions", "scene_cut"), 0.3, "bench sets them at fixed distances"),
        (("modes", "ar", "frames"), "seven", "frames: Input should be a valid integer"),
        (("modes", "ar", "miou"), 150.0, "150 seen, expected 0 to 100 per cent"),
        (("modes", "ar", "per_class"), {"road": "much"}, "eval --json"),
        (("modes", "ar", "by_distance"), 3, "eval --json"),
        (("modes", "ar", "worst_frames"), [{"frame": 1}], "eval --json"),
        (("conditions", "phases"), "03", "'03' in the place of a list"),
        (("digest",), 7, "eval --json"),
    ],
)
def test_scores_that_are_not_of_what_is_timed_are_refused(bundle, place, value, told):
    """They went into the record: beside times of another GOP, or so that nobody could read it any more."""
    facts = facts_of(read_bundle(bundle))
    scores = scores_of(bundle, facts.digest)
    inner = scores
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(DataError, match=re.escape(told)):
        accuracy_of(scores, "ar", facts, interval=GOP, where="s")
