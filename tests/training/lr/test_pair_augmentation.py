"""Views of pairs: what is changed together stays together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_arseg.evaluation.labels.files import IGNORED
from edge_arseg.training.lr.augmentation import ViewGeometry, view_from_pair
from edge_arseg.training.lr.settings import PairAugmentation
from edge_arseg.training.pairs.pair import Pair

HEIGHT, WIDTH = 64, 96


def scene(y, x):
    """A smooth picture as a function of the place, so that any place between pixels has a known colour."""
    red = 128 + 60 * np.sin(x / 9.0) * np.cos(y / 11.0)
    return np.stack([red, 128 + 50 * np.cos(x / 13.0 + y / 8.0), 100 + 40 * np.sin(y / 7.0)], -1)


def moved_pair(shift, *, size=(HEIGHT, WIDTH)):
    """A pair in which the content of the frame was ``shift`` (x, y) pixels further on in the keyframe."""
    y, x = np.mgrid[: size[0], : size[1]].astype(float)
    rows, columns = -(-size[0] // 4), -(-size[1] // 4)
    frame, keyframe = scene(y, x), scene(y - shift[1], x - shift[0])
    label = ((x // 8 + y // 8) % 5).astype(np.uint8)
    flow = np.broadcast_to(np.array(shift, np.float32), (rows, columns, 2)).copy()
    return Pair(keyframe.round().astype(np.uint8), frame.round().astype(np.uint8), flow, label, 1, "codec")


def moved_back(picture, flow):
    """``picture`` read at each pixel plus its flow, and where that lies inside."""
    height, width = picture.shape[:2]
    dense = flow.repeat(4, 0).repeat(4, 1)[:height, :width]
    y, x = np.mgrid[:height, :width]
    y, x = y + dense[..., 1], x + dense[..., 0]
    inside = (y >= 0) & (y <= height - 1) & (x >= 0) & (x <= width - 1)
    y, x = y.clip(0, height - 1.001), x.clip(0, width - 1.001)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    a, b = (y - top)[..., None], (x - left)[..., None]
    above = picture[top, left] * (1 - b) + picture[top, left + 1] * b
    below = picture[top + 1, left] * (1 - b) + picture[top + 1, left + 1] * b
    return above * (1 - a) + below * a, inside


@settings(max_examples=40)
@given(
    zoom=st.floats(0.6, 2.0),
    mirrored=st.booleans(),
    centre=st.tuples(st.floats(0.35, 0.65), st.floats(0.35, 0.65)),
    shift=st.tuples(st.floats(-6, 6), st.floats(-6, 6)),
)
def test_the_flow_of_a_view_still_takes_the_frame_to_the_keyframe(zoom, mirrored, centre, shift):
    geometry = ViewGeometry((48, 64), (centre[0] * HEIGHT, centre[1] * WIDTH), zoom, mirrored)
    pair = moved_pair(shift)
    frame, keyframe = (geometry.image(x).permute(1, 2, 0).numpy() for x in (pair.frame, pair.keyframe))
    flow = geometry.flow(pair.flow)
    back, inside = moved_back(keyframe, flow)
    y, x = geometry.positions(1)
    rows = (y > 8) & (y < HEIGHT - 8)
    columns = (x > 8) & (x < WIDTH - 8)
    inside &= rows[:, None] & columns[None, :]
    if inside.any():  # near the still's border nothing is claimed
        assert np.abs(back - frame)[inside].mean() < 2.0
        assert np.abs(back - frame)[inside].max() < 12.0


def test_vectors_grow_with_the_view_and_turn_round_in_the_mirror():
    """The factor that the authors forgot: at zoom 2 a shift of 3 pixels is one of 6."""
    flow = moved_pair((3.0, -1.0)).flow
    size, centre = (HEIGHT, WIDTH), (HEIGHT / 2, WIDTH / 2)
    assert ViewGeometry(size, centre).flow(flow)[8, 12].tolist() == [3.0, -1.0]
    assert ViewGeometry(size, centre, zoom=2.0).flow(flow)[8, 12].tolist() == [6.0, -2.0]
    assert ViewGeometry(size, centre, mirrored=True).flow(flow)[8, 12].tolist() == [-3.0, -1.0]


def test_a_view_of_the_whole_frame_is_the_frame():
    pair = moved_pair((3.0, 1.0), size=(62, 90))
    geometry = ViewGeometry((62, 90), (31.0, 45.0))
    np.testing.assert_allclose(geometry.image(pair.frame).permute(1, 2, 0).numpy(), pair.frame, atol=0.02)
    np.testing.assert_array_equal(geometry.label(pair.label), pair.label)
    np.testing.assert_array_equal(geometry.flow(pair.flow), pair.flow)
    twice = ViewGeometry((62, 90), (31.0, 45.0), mirrored=True)
    np.testing.assert_array_equal(twice.label(pair.label)[:, ::-1], pair.label)


def test_what_lies_outside_is_black_ignored_and_still():
    pair = moved_pair((3.0, 1.0))
    geometry = ViewGeometry((HEIGHT, WIDTH), (HEIGHT / 2, WIDTH / 2), zoom=0.5)
    assert float(geometry.image(pair.frame)[:, :10].abs().max()) == 0.0
    assert (geometry.label(pair.label)[:15] == IGNORED).all()
    assert (geometry.label(pair.label)[17:47, 25:71] != IGNORED).all()
    assert not geometry.flow(pair.flow)[:3].any()


@pytest.mark.parametrize("size", [None, (40, 48)])
def test_views_are_drawn_from_the_generator_alone(size):
    augmentation = PairAugmentation(size=size)
    pair = moved_pair((2.0, 0.0))
    views = [view_from_pair(pair, augmentation, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert views[0].frame.shape == (*(size or (HEIGHT, WIDTH)), 3)
    assert views[0].flow.shape == (*(-(-side // 4) for side in views[0].frame.shape[:2]), 2)
    for name in ("keyframe", "frame", "flow", "label"):
        np.testing.assert_array_equal(getattr(views[0], name), getattr(views[1], name))
    assert (views[0].frame != views[2].frame).any()


def test_light_changes_both_frames_nearly_alike():
    still = moved_pair((0.0, 0.0))
    for seed in range(8):
        view = view_from_pair(still, PairAugmentation(), np.random.default_rng(seed))
        between = np.abs(view.frame.astype(float) - view.keyframe).mean()
        assert 0.0 < between < 12.0
    same = view_from_pair(still, PairAugmentation(drift=0.0), np.random.default_rng(1))
    np.testing.assert_array_equal(same.frame, same.keyframe)
