from dataclasses import replace

import pytest

from edge_arseg.compiler.quantize.calibrate.selection import check_seen, selections_from_recipe
from edge_arseg.errors import OptionError
from edge_arseg.spec.manifest import Role
from edge_arseg.spec.recipe import CalibrationClip, Method, Recipe

CLIP = CalibrationClip("test://street", frames=48, keyframes=3, per_distance=2)
RECIPE = Recipe("r", Method.MINMAX, (CLIP,))


def test_counts_by_distance_are_those_of_the_recipe():
    (selection,) = selections_from_recipe(RECIPE, 12)
    assert selection.by_distance() == {0: 3, **dict.fromkeys(range(1, 12), 2)}
    assert max(selection.observed) < 48


def test_the_seed_decides():
    def observed(seed):
        return selections_from_recipe(replace(RECIPE, seed=seed), 12)[0].observed

    assert observed(1) == observed(1)
    assert len({observed(seed) for seed in range(5)}) == 5


def test_two_clips_of_one_recipe_are_picked_apart():
    one, other = selections_from_recipe(replace(RECIPE, clips=(CLIP, CLIP)), 12)
    assert one.observed != other.observed


def test_only_keyframes_in_front_of_observed_frames_run():
    clip = CalibrationClip("test://street", frames=48, keyframes=1, per_distance=1)
    (selection,) = selections_from_recipe(replace(RECIPE, clips=(clip,)), 12)
    for key in range(0, 48, 12):
        assert selection.needs_key(key) == any(key <= frame < key + 12 for frame in selection.observed)


def test_stills_are_all_keyframes():
    clip = CalibrationClip("images://x/*.jpg", frames=20, keyframes=5, stills=True)
    (selection,) = selections_from_recipe(replace(RECIPE, clips=(clip,)), 12)
    assert selection.interval == 1
    assert selection.by_distance() == {0: 5}


def test_too_few_frames_are_said_for_every_clip_at_once():
    short = replace(CLIP, frames=24)
    with pytest.raises(OptionError) as caught:
        selections_from_recipe(replace(RECIPE, clips=(short, CLIP, replace(CLIP, frames=30))), 12)
    text = str(caught.value)
    assert "clips.0 (test://street): 3 frames wanted at distance 0, 2 there with keyframes 12 frames apart" in text
    assert "clips.1" not in text
    assert "clips.2" not in text  # 30 frames: keyframes at 0, 12, 24


def test_a_distance_that_the_last_group_does_not_reach():
    clip = replace(CLIP, frames=27, keyframes=1, per_distance=3)
    with pytest.raises(OptionError, match="3 frames wanted at distance 3, 2 there"):
        selections_from_recipe(replace(RECIPE, clips=(clip,)), 12)


def test_a_branch_that_would_see_no_frame_is_refused():
    alone = CalibrationClip("test://street", frames=1, keyframes=1)
    for clip, roles, lacking in (
        (alone, [Role.HR, Role.LR], "lr"),
        (alone, [Role.HR], None),
        (replace(alone, stills=True), [Role.HR, Role.LR], None),
        (replace(alone, stills=True), [Role.FUSE], "fuse"),
        (CLIP, [Role.HR, Role.LR, Role.FUSE], None),
    ):
        selections = selections_from_recipe(replace(RECIPE, clips=(clip,)), 12)
        if lacking is None:
            check_seen(selections, "r", roles)
            continue
        with pytest.raises(OptionError, match=f"recipe r: {lacking} would see no frame.* --{lacking} fp32"):
            check_seen(selections, "r", roles)
