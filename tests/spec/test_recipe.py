"""Calibration recipes: everything that is wrong with one is said at once."""

import pytest

from edge_arseg.errors import OptionError
from edge_arseg.spec.recipe import CalibrationClip, Method, recipe_from_toml, recipe_path, recipe_text
from edge_arseg.storage.data_folder import data_folder

GOOD = """
name = "good"
method = "percentile"
percentile = 99.9
seed = 7
[[clips]]
source = "{data}/clip.mp4"
frames = 48
keyframes = 3
per_distance = 2
[[clips]]
source = "images://{data}/stills/*.jpg?rate=1"
frames = 10
keyframes = 4
stills = true
"""


def test_a_recipe_is_read():
    recipe = recipe_from_toml(GOOD)
    assert (recipe.name, recipe.method, recipe.percentile, recipe.seed) == ("good", Method.PERCENTILE, 99.9, 7)
    assert recipe.clips[0] == CalibrationClip("{data}/clip.mp4", 48, 3, 2, "auto", False)
    assert recipe.clips[1].stills
    assert recipe.needs_data
    assert not recipe_from_toml(GOOD.replace("{data}", ".")).needs_data


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        (("percentile = 99.9\n", ""), ["percentile: missing"]),
        (('"percentile"\n', '"minmax"\n'), ["percentile: needs method 'percentile', 'minmax' seen"]),
        (('"percentile"\n', '"mean"\n'), ["method: Input should be"]),
        (("99.9", "101"), ["percentile: Input should be less than or equal to 100"]),
        (("seed = 7", "seed = -7\ncolour = 1"), ["seed: ", "colour: "]),
        (("frames = 48", "frames = 1000000000000"), ["clips.0.frames: Input should be less than or equal to 1000000"]),
        (("frames = 48", "frames = 2"), ["clips.0.keyframes: 3 of 2 frames"]),
        (("stills = true", "stills = true\nper_distance = 1"), ["clips.1.per_distance: stills have no distance"]),
        (("per_distance = 2", 'per_distance = -1\nmotion = "psychic"'), ["clips.0.per_distance", "clips.0.motion"]),
    ],
)
def test_faults_are_named_together(change, faults):
    assert change[0] in GOOD
    with pytest.raises(OptionError) as caught:
        recipe_from_toml(GOOD.replace(*change), where="my.toml")
    for fault in ["my.toml", "calibration/README.md", *faults]:
        assert fault in str(caught.value)


def test_no_clips_and_no_toml():
    with pytest.raises(OptionError, match="clips"):
        recipe_from_toml('name = "x"\nmethod = "minmax"\n')
    with pytest.raises(OptionError, match="not TOML"):
        recipe_from_toml("name = [")


def test_every_recipe_that_is_shipped_is_sound():
    paths = sorted(data_folder("calibration").glob("*.toml"))
    assert {path.stem for path in paths} >= {"street", "camvid"}
    for path in paths:
        recipe = recipe_from_toml(path.read_text(), where=path.name)
        assert recipe.name == path.stem
        assert not any("/val" in clip.source for clip in recipe.clips)
        assert recipe_path(path.stem) == path


def test_a_recipe_that_is_not_there(tmp_path):
    with pytest.raises(OptionError, match=r"known: camvid.*, street"):
        recipe_path("nope")
    with pytest.raises(OptionError, match="no such file"):
        recipe_path(str(tmp_path / "nope.toml"))


def test_a_file_with_a_byte_order_mark_is_read_and_other_bytes_are_refused(tmp_path):
    file = tmp_path / "own.toml"
    file.write_bytes(b"\xef\xbb\xbfname = 'x'")
    assert recipe_text(file) == "name = 'x'"
    file.write_bytes(b"\xff")
    with pytest.raises(OptionError, match=r"own\.toml: not UTF-8"):
        recipe_text(file)
    with pytest.raises(OptionError, match="cannot be read"):
        recipe_text(tmp_path)
