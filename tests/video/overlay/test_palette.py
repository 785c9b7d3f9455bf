"""The colours of classes: far from each other, for all kinds of vision."""

import json
from pathlib import Path

import numpy as np
import pytest

import edge_arseg
from edge_arseg.spec.model import CAMVID_11, CAMVID_12, CITYSCAPES_19, ClassInfo
from edge_arseg.video.overlay.palette.choice import colors_of_classes
from edge_arseg.video.overlay.palette.lab import lab_from_linear, linear_from_rgb
from edge_arseg.video.overlay.palette.vision import Vision, lab_seen, least_distance

BLIND = (Vision.PROTANOPIA, Vision.DEUTERANOPIA, Vision.TRITANOPIA)


def test_lab_of_known_colors():
    lab = lab_from_linear(linear_from_rgb([[255, 255, 255], [255, 0, 0], [0, 0, 255], [119, 119, 119]]))
    expected = [[100, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [50.03, 0, 0]]
    np.testing.assert_allclose(lab, expected, atol=0.02)


def test_red_and_green_of_one_lightness_meet_without_red_or_green_cones_and_grey_stays_grey():
    red, green = (200, 60, 60), (95, 118, 60)
    normal = least_distance([red, green])
    assert normal > 50
    assert least_distance([red, green], Vision.DEUTERANOPIA) < 0.4 * normal
    for vision in BLIND:
        np.testing.assert_allclose(
            lab_seen([120, 120, 120], vision), lab_seen([120, 120, 120], Vision.NORMAL), atol=0.6
        )


def shipped_models():
    for path in sorted(Path(edge_arseg.__file__).parent.glob("zoo/*/manifest.json")):
        classes = json.loads(path.read_text())["model"]["classes"]
        yield path.parent.name, tuple(ClassInfo(row["name"], tuple(row["color"])) for row in classes)


def test_classes_of_every_shipped_model_are_far_apart_for_all_kinds_of_vision():
    """CIE 1976: 2.3 can just be seen side by side."""
    models = dict(shipped_models())
    assert models
    for classes in (*models.values(), CAMVID_11, CAMVID_12):
        colors = colors_of_classes(classes, "contrast")
        assert least_distance(colors) >= 25
        assert min(least_distance(colors, vision) for vision in BLIND) >= 18


def test_the_cityscapes_classes_are_far_apart_too():
    colors = colors_of_classes(CITYSCAPES_19, "contrast")
    assert least_distance(colors) >= 25
    assert min(least_distance(colors, vision) for vision in BLIND) >= 10


def test_the_data_sets_own_colors_are_there_on_request_and_worse():
    colors = colors_of_classes(CAMVID_11, "dataset")
    assert [tuple(color) for color in colors.tolist()] == [info.color for info in CAMVID_11]
    assert min(least_distance(colors, vision) for vision in BLIND) < 8


@pytest.mark.parametrize("count", [1, 2, 11, 40, 150])
def test_any_number_of_unknown_classes_gets_colors_of_their_own(count):
    classes = [ClassInfo(f"thing {index}", (0, 0, 0)) for index in range(count)]
    colors = colors_of_classes(classes, "contrast")
    assert len({tuple(color) for color in colors.tolist()}) == count
    np.testing.assert_array_equal(colors, colors_of_classes(classes, "contrast"))  # the same in every run
    if 1 < count <= 11:
        assert least_distance(colors) >= 25
        assert min(least_distance(colors, vision) for vision in BLIND) >= 12


def test_names_of_the_same_thing_share_a_color_and_twins_in_one_model_do_not():
    one = colors_of_classes([ClassInfo("Traffic-Sign", (1, 2, 3)), ClassInfo("vegetation", (0, 0, 0))], "contrast")
    other = colors_of_classes([ClassInfo("sign", (9, 9, 9)), ClassInfo("tree", (0, 0, 0))], "contrast")
    np.testing.assert_array_equal(one, other)
    twins = colors_of_classes([ClassInfo("person", (0, 0, 0)), ClassInfo("pedestrian", (0, 0, 0))], "contrast")
    assert least_distance(twins) >= 25
