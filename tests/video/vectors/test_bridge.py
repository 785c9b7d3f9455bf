"""Motion across intra pictures of a live stream."""

import av
import numpy as np
import pytest
from support.clips.moving import HEIGHT, WIDTH, chainable, encode, moving

from edge_arseg.video.decoding.picture import Picture
from edge_arseg.video.vectors.bridge import Bridge


def bridged(path, size=(HEIGHT, WIDTH)):
    """The vectors of each picture; ``alone`` for none."""
    bridge = Bridge(1.0)
    with av.open(str(path)) as container:
        return [bridge.vectors(Picture(frame, None), size, alone=False) for frame in container.decode(video=0)]


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT - 1, WIDTH - 1)])
def test_intra_pictures_get_the_motion_from_the_picture_before_and_others_nothing(tmp_path, size):
    found = bridged(chainable(tmp_path / "a.mp4", count=18, g=6), size)
    assert [vectors is not None for vectors in found] == [n in (6, 12) for n in range(18)]
    for n in (6, 12):
        x, y = (float(np.median(found[n][name])) for name in ("flow_x", "flow_y"))
        assert (x, y) == pytest.approx((-3 * size[1] / WIDTH, -2 * size[0] / HEIGHT), abs=0.25)


def test_a_stream_of_nothing_but_intra_pictures_has_motion_throughout(tmp_path):
    found = bridged(chainable(tmp_path / "a.mp4", count=8, g=1))
    assert found[0] is None
    assert [round(float(np.median(vectors["flow_x"]))) for vectors in found[1:]] == 7 * [-3]


def test_across_a_cut_there_are_none(tmp_path):
    pictures = [*moving(6), *moving(6, seed=1)]
    found = bridged(encode(tmp_path / "a.mp4", pictures, bf=0, refs=1, g=3, sc_threshold=0))
    assert [n for n, vectors in enumerate(found) if vectors is not None] == [3, 9]


def test_damaged_pictures_and_those_that_stand_alone_get_none(tmp_path):
    bridge = Bridge(1.0)
    with av.open(str(chainable(tmp_path / "a.mp4", count=13, g=6))) as container:
        for n, frame in enumerate(container.decode(video=0)):
            vectors = bridge.vectors(Picture(frame, None, damaged=n == 6), (HEIGHT, WIDTH), alone=n == 12)
            assert vectors is None
