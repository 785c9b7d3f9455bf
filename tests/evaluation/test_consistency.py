import math

import numpy as np
import pytest

from edge_arseg.evaluation.consistency import Consistency
from edge_arseg.spec.frame import VECTOR_DTYPE

HEIGHT, WIDTH = 32, 48


def vectors(flow_x, flow_y, *, without=()):
    """One 16x16 block after the other, row by row, all moving alike; those ``without`` have none."""
    y, x = (axis.reshape(-1) for axis in np.mgrid[8:HEIGHT:16, 8:WIDTH:16])
    made = np.zeros(x.size, VECTOR_DTYPE)
    made["x"], made["y"], made["width"], made["height"] = x, y, 16, 16
    made["flow_x"], made["flow_y"] = flow_x, flow_y
    return np.delete(made, without)


def scored(maps, steps):
    consistency = Consistency(HEIGHT, WIDTH)
    for class_map, step in zip(maps, steps, strict=True):
        consistency.add(class_map, step)
    return consistency


def random_map(seed):
    return np.random.default_rng(seed).integers(0, 11, (HEIGHT, WIDTH), dtype=np.uint8)


def test_a_map_that_moves_with_the_vectors_is_wholly_consistent():
    first = random_map(0)
    # Content moves 5 to the right and 3 down, so it comes from 5 to the left and 3 up.
    maps = [np.roll(first, (3 * t, 5 * t), axis=(0, 1)) for t in range(4)]
    found = scored(maps, [None] + [vectors(-5, -3)] * 3)
    assert found.agreement == 1.0
    assert found.flicker == 0.0
    # The same maps, thought to stand still, agree by chance only.
    assert scored(maps, [None] + [vectors(0, 0)] * 3).agreement < 0.2


def test_a_known_share_changes():
    before = np.zeros((HEIGHT, WIDTH), np.uint8)
    after = before.copy()
    after[:8] = 1
    assert scored([before, after], [None, vectors(0, 0)]).agreement == pytest.approx(24 / 32)


def test_pixels_without_vector_or_from_outside_are_not_followed():
    before, after = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    after[:16, :16] = 1  # where the first block is
    assert scored([before, after], [None, vectors(0, 0, without=[0])]).agreement == 1.0
    after = np.ones((HEIGHT, WIDTH), np.uint8)
    after[:, 8:] = 0  # content moves 8 to the right: the first 8 columns are new
    assert scored([before, after], [None, vectors(-8, 0)]).agreement == 1.0


def test_fractions_are_rounded():
    first = random_map(1)
    maps = [first, np.roll(first, 2, axis=1)]
    assert scored(maps, [None, vectors(-1.75, 0.25)]).agreement == 1.0


def test_flicker_is_there_and_back():
    calm = np.zeros((HEIGHT, WIDTH), np.uint8)
    blink = calm.copy()
    blink[:4] = 3
    found = scored([calm, blink, calm], [None, vectors(0, 0), vectors(0, 0)])
    assert found.flicker == pytest.approx(4 / 32)
    assert found.agreement == pytest.approx(28 / 32)
    # What changes and stays changed is no flicker.
    found = scored([calm, blink, blink], [None, vectors(0, 0), vectors(0, 0)])
    assert found.flicker == 0.0


def test_flicker_is_followed_along_the_motion():
    first = random_map(2)
    maps = [np.roll(first, 4 * t, axis=1) for t in range(3)]
    maps[1] = (maps[1] + 1) % 11
    assert scored(maps, [None, vectors(-4, 0), vectors(-4, 0)]).flicker == 1.0


def test_nothing_is_followed_without_vectors_or_across_runs():
    consistency = Consistency(HEIGHT, WIDTH)
    consistency.add(random_map(0), None)
    consistency.add(random_map(1), None)
    consistency.start()
    consistency.add(random_map(2), vectors(0, 0))
    assert math.isnan(consistency.agreement)
    assert math.isnan(consistency.flicker)


def test_the_map_is_copied():
    consistency, buffer = Consistency(HEIGHT, WIDTH), np.zeros((HEIGHT, WIDTH), np.uint8)
    consistency.add(buffer, None)
    buffer[:] = 1
    consistency.add(buffer, vectors(0, 0))
    assert consistency.agreement == 0.0


def test_sizes_that_are_no_multiple_of_a_block():
    consistency = Consistency(21, 35)
    class_map = np.zeros((21, 35), np.uint8)
    consistency.add(class_map, None)
    consistency.add(class_map, vectors(0, 0))
    assert consistency.agreement == 1.0
