"""Sizes whose rows and columns were meant the other way round."""

import pytest

from edge_arseg.spec.geometry.swapped_size import LANDSCAPE, swap_meant, swap_meant_of_camera


@pytest.mark.parametrize(
    ("size", "like", "told"),
    [
        ((960, 720), (720, 960), True),
        ((1280, 720), (720, 960), True),
        ((360, 640), (640, 360), True),  # a film of a phone held upright
        ((720, 960), (720, 960), False),
        ((64, 64), (720, 960), False),
        ((960, 720), (500, 500), False),
        ((2000, 100), (720, 960), False),
    ],
)
def test_a_size_across_what_it_is_for_is_told(size, like, told):
    assert bool(swap_meant(size, like, "its pictures")) is told


def test_the_line_says_what_was_typed_what_is_there_and_what_to_type():
    assert swap_meant((640, 480), (720, 1280), "the pictures") == (
        "640x480 is 640 rows and 480 columns, and the pictures have 720 rows and 1280 columns; where 640 wide and 480 "
        "high is meant, type 480x640"
    )
    assert swap_meant((640, 480), LANDSCAPE, "") == (
        "640x480 is 640 rows and 480 columns; where 640 wide and 480 high is meant, type 480x640"
    )


@pytest.mark.parametrize(("text", "told"), [("720x1280", True), ("1280x720", False), ("vga", False), ("", False)])
def test_a_camera_has_its_sizes_the_other_way_round(text, told):
    line = swap_meant_of_camera(text)
    assert ("where 720 rows and 1280 columns are meant, type 1280x720" in line) is told is bool(line)
