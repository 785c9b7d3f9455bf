import math
import sys

import numpy as np
import pytest

from edge_arseg.errors import EnvironmentUnfitError
from edge_arseg.evaluation.flow_consistency import FlowConsistency

HEIGHT, WIDTH, STEP = 96, 128, 4


def scene(shift):
    """A texture that moves to the right, and classes in vertical bands that move with it."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, (HEIGHT // 8, 40, 3)).repeat(8, axis=0).repeat(8, axis=1)
    texture = sum(np.roll(coarse, (i, j), (0, 1)) for i in range(4) for j in range(4)) // 16
    bands = np.broadcast_to((np.arange(320) // 20) % 5, (HEIGHT, 320))
    window = slice(100 - shift, 100 - shift + WIDTH)
    return bands[:, window].astype(np.uint8), texture[:, window].astype(np.uint8)


@pytest.fixture
def consistency():
    pytest.importorskip("cv2")
    return FlowConsistency(5)


def test_classes_that_move_with_the_picture_are_steady(consistency):
    for frame in range(4):
        consistency.add(*scene(STEP * frame))
    assert consistency.tc > 0.98


def test_classes_that_stay_where_the_picture_moves_are_not(consistency):
    still = scene(0)[0]
    for frame in range(4):
        consistency.add(still, scene(STEP * frame)[1])
    # 4 of each 20 columns change their class: 16 / 24
    assert consistency.tc == pytest.approx(16 / 24, abs=0.03)


def test_what_comes_into_the_picture_does_not_count(consistency):
    consistency.add(*scene(0))
    classes, picture = scene(STEP)
    classes[:, :STEP] = 4  # nobody saw these columns before
    consistency.add(classes, picture)
    assert consistency.tc > 0.98


def test_another_run_is_no_neighbour(consistency):
    consistency.add(*scene(0))
    consistency.start()
    consistency.add((scene(0)[0] + 1) % 5, scene(40)[1])
    assert math.isnan(consistency.tc)


def test_without_the_library_it_is_said_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(EnvironmentUnfitError, match=r"--optical-flow needs OpenCV .*\[flow\]"):
        FlowConsistency(5)
