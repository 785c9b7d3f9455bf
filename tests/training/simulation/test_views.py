"""Views of a still with depth: geometry, hiding, labels that move with the picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.training.files import BUILDING, CAR, POLE, ROAD, SKY, street_still

from edge_arseg.spec.model import CAMVID_11
from edge_arseg.training.simulation.camera import path_from_seed
from edge_arseg.training.simulation.clip import frames_from_still
from edge_arseg.training.simulation.depth import Relief, relief_from_label
from edge_arseg.training.simulation.render import View, nearest_in_cells, picture_from_sources, sources_from_view

SILENT = np.zeros(1 << 10, np.float32)
STANDING = np.eye(3)


def sources(relief, position=(0, 0, 0), rotation=STANDING, focal=100.0, overscan=1.0):
    view = View(focal, overscan, (0.0, 0.0), np.array(position, float), rotation)
    return sources_from_view(relief, nearest_in_cells(relief.nearness), view)


def flat(nearness, rows=60, columns=80):
    return Relief(np.full((rows, columns), nearness, np.float32), 29.5, np.zeros((rows, columns), np.int32), 0)


def relief_of_street(seed=0):
    return relief_from_label(
        street_still(seed=seed)[1], CAMVID_11, np.random.default_rng(seed), focal=128.0, camera_height_m=1.5
    )


def test_a_camera_that_stays_sees_the_still():
    found, seen = sources(relief_of_street())
    y, x = np.mgrid[:96, :128]
    assert np.allclose(found, np.stack([x, y], -1), atol=1e-3)
    assert seen.all()


def test_going_ahead_towards_a_wall_magnifies_it():
    """A wall at 10 m, 2 m nearer: 1.25 times as large, about the point ahead (row 29, the middle column)."""
    found, seen = sources(flat(0.1), position=(0, 0, 2))
    y, x = np.mgrid[:60, :80]
    # The nearness of a wall is found to within a step of the search, a pixel.
    assert np.allclose(found[..., 0], 39.5 + (x - 39.5) / 1.25, atol=0.02)
    assert np.allclose(found[..., 1], 29.0 + (y - 29.5 + 0.5) / 1.25, atol=0.02)
    assert seen.all()


def test_far_things_stay_when_the_camera_moves_and_go_when_it_turns():
    moved, _ = sources(flat(0.0), position=(1, 0.2, 5))
    y, x = np.mgrid[:60, :80]
    assert np.allclose(moved, np.stack([x, y], -1), atol=1e-3)
    angle = 0.1
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    turned, _ = sources(flat(0.0), rotation=turn)
    assert turned[29, 39, 0] - 39 == pytest.approx(100 * np.tan(0.1), abs=0.1)


def test_near_things_hide_far_ones():
    """A post at 5 m before a wall at 50 m; the camera goes 1 m right: the post goes left by 20 px, the wall by 2."""
    relief = flat(0.02)
    relief.nearness[:, 40:46] = 0.2
    found, _ = sources(relief, position=(1, 0, 0))
    row = found[30, :, 0]
    post = (row > 39.5) & (row < 45.5)
    columns = np.flatnonzero(post)
    assert columns[0] == 20
    assert 6 <= len(columns) <= 9  # what is met within a tenth of its nearness counts as met
    assert np.allclose(row[:18], np.arange(18) + 2, atol=0.05)  # the wall in front of which nothing stands
    # The wall to the right of where the post is now: x + 2 was behind the post for x = 38 to 43.
    assert np.allclose(row[46:70], np.arange(46, 70) + 2, atol=0.05)


def test_depth_is_a_street():
    _, label = street_still()
    relief = relief_of_street()
    near = relief.nearness
    assert np.all(near[label == SKY] == 0)
    ground = near[:, 64][label[:, 64] == ROAD]
    assert np.all(np.diff(ground) > 0)  # nearer and nearer down the picture
    car = near[label == CAR]
    assert np.ptp(car) < 1e-6  # stands upright on its lowest row
    assert car[0] == pytest.approx(near[71, 64], abs=0.01)
    assert near[label == POLE].min() > near[label == BUILDING].max()
    assert relief.object_count == 1
    assert set(np.unique(relief.objects[label == CAR])) == {1}


def test_labels_without_ground_still_give_depth():
    label = np.full((64, 64), BUILDING, np.uint8)
    near = relief_from_label(label, CAMVID_11, np.random.default_rng(0), focal=64.0, camera_height_m=1.5).nearness
    assert 0 < near.min() < near.max() < 0.1


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_labels_move_with_the_picture(seed):
    """A picture painted from the label and moved is the moved label painted, but for pixels on a border."""
    _, label = street_still()
    painted = np.repeat((label * 20)[..., None], 3, 2)
    rng = np.random.default_rng(seed)
    relief = relief_of_street()
    path = path_from_seed(rng)
    index = int(rng.integers(12))
    found, seen = sources(relief, path.position_m[index], path.rotation[index], focal=128.0, overscan=1.05)
    picture, moved = picture_from_sources(painted, label, found, seen, gain=1.0, noise=SILENT, noise_start=0)
    counted = moved != 255
    # A pixel is on a border if the four of the still that it is mixed of differ.
    left, top = (np.clip(np.floor(found[..., i]).astype(int), 0, label.shape[1 - i] - 2) for i in (0, 1))
    corners = np.stack([label[top + a, left + b] for a in (0, 1) for b in (0, 1)])
    inside = counted & (corners == corners[0]).all(axis=0)
    assert inside.sum() > 0.3 * label.size
    assert np.array_equal(picture[..., 0][inside], moved[inside] * 20)


def test_what_lies_outside_the_still_is_ignored():
    rgb, label = street_still()
    found, seen = sources(flat(0.0, 96, 128), rotation=np.eye(3))
    found = found + np.float32(10)
    picture, moved = picture_from_sources(rgb, label, found, seen, gain=1.0, noise=SILENT, noise_start=0)
    assert np.all(moved[-10:] == 255)
    assert np.all(moved[:, -10:] == 255)
    assert np.array_equal(moved[:-10, :-10], label[10:, 10:])
    assert np.array_equal(picture[:-10, :-10], rgb[10:, 10:])


def test_clips_repeat_and_differ():
    rgb, label = street_still()
    clips = [frames_from_still(rgb, label, CAMVID_11, seed=[seed], count=4) for seed in (1, 1, 2)]
    same = [np.array_equal(a.rgb, b.rgb) and np.array_equal(a.label, b.label) for a, b in zip(*clips[:2], strict=True)]
    assert all(same)
    assert not np.array_equal(clips[0][3].rgb, clips[2][3].rgb)


def test_paths_go_mostly_ahead():
    travelled = [np.ptp(path_from_seed(np.random.default_rng(seed)).position_m[:, 2]) for seed in range(300)]
    ahead = [
        path.position_m[-1, 2] > path.position_m[0, 2]
        for path in (path_from_seed(np.random.default_rng(seed)) for seed in range(300))
    ]
    assert np.mean(ahead) > 0.8
    assert 3 < np.median(travelled) < 6
    stopped = path_from_seed(np.random.default_rng(3), room_m=2.0)
    assert stopped.position_m[:, 2].max() <= 1.0 + 1e-6
