"""``eval --images`` takes no option of clips."""

import pytest


@pytest.mark.parametrize(
    "more", [("--interval", 3), ("--phases", "all"), ("--encode", "1M"), ("--scene-cut", 0.5), ("--optical-flow",)]
)
def test_an_option_of_clips_is_refused_with_images(edge_arseg, tmp_path, more):
    answer = edge_arseg("eval", "--images", tmp_path, "--labels", tmp_path, *more)
    assert (answer.code, answer.out) == (2, "")
    assert f"{more[0]} seen with --images, expected a --clip" in answer.err
