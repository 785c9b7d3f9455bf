"""Arrays that are used again, with bars beside pictures of another shape."""

import numpy as np

from edge_arseg.spec.geometry.placement import FitKind, placement_of
from edge_arseg.video.rgb import BAR, Arrays

FRAME = (48, 64)


def placed(arrays, source, level):
    placement = placement_of(source, FRAME, FitKind.LETTERBOX)
    return arrays.placed(np.full((placement.height, placement.width, 3), level, np.uint8), placement)


def test_bars_are_black_again_behind_a_picture_that_had_none():
    """A source that changes its shape and changes it back: one picture has filled the array where the bars were."""
    arrays = Arrays(1)
    for level, source in ((100, (36, 64)), (200, (96, 128)), (150, (36, 64))):
        array = placed(arrays, source, level)
    assert set(np.unique(array[:6])) == {BAR}
    assert set(np.unique(array[6:42])) == {150}
    assert set(np.unique(array[42:])) == {BAR}


def test_an_array_is_given_out_again_in_its_turn():
    arrays = Arrays(2)
    first, second, third = (placed(arrays, (48, 64), level) for level in (1, 2, 3))
    assert first is third
    assert (second == 2).all()
