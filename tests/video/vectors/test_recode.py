import itertools

import av
import numpy as np
import pytest
from support.clips.moving import SHARED, moving

from edge_arseg.motion import FrameStatistics, KeyframePolicy, branch_from_statistics
from edge_arseg.spec.frame import VECTOR_DTYPE, Branch
from edge_arseg.video.vectors.recode import Recoder, still_vectors

HIGHWAY = SHARED / "clips" / "highway_960x540.mp4"


def pictures(count, **options):
    return [av.VideoFrame.from_ndarray(rgb, format="rgb24") for rgb in moving(count, **options)]


def inner_median(vectors, height, width):
    inside = (vectors["x"] > 32) & (vectors["x"] < width - 32) & (vectors["y"] > 32) & (vectors["y"] < height - 32)
    return np.median(vectors["flow_x"][inside]), np.median(vectors["flow_y"][inside])


def test_vectors_point_back_to_where_the_content_was():
    recoder = Recoder(144, 192)
    first, *others = (recoder.vectors(picture) for picture in pictures(5, step=(3, 2)))
    assert first is None
    for vectors in others:
        assert vectors.dtype == VECTOR_DTYPE
        assert inner_median(vectors, 144, 192) == (-3, -2)


@pytest.mark.parametrize(("height", "width"), [(145, 193), (144, 193), (145, 192), (17, 33)])
def test_frames_of_odd_sizes_are_recoded(height, width):
    recoder = Recoder(height, width)
    for picture in pictures(3, height=height, width=width, step=(2, 1)):
        vectors = recoder.vectors(picture)
    # The blocks reach into the last, odd row and column.
    assert (vectors["x"] + vectors["width"] // 2).max() >= width
    assert (vectors["y"] + vectors["height"] // 2).max() >= height


def test_half_size_gives_vectors_in_pixels_of_the_whole_picture():
    recoder = Recoder(288, 384, scale=0.5)
    for picture in pictures(3, height=288, width=384, step=(8, -4)):
        vectors = recoder.vectors(picture)
    assert set(vectors["width"].tolist()) <= {16, 32}
    assert inner_median(vectors, 288, 384) == (-8, 4)


def scene(seed):
    """A picture that has nothing in common with one of another seed."""
    coarse = np.random.default_rng(seed).integers(60, 120, (22, 30, 3), dtype=np.uint8)
    return av.VideoFrame.from_ndarray(coarse, format="rgb24").reformat(480, 352, "yuv420p", interpolation="BICUBIC")


def test_a_cut_that_is_half_covered_with_vectors_is_a_keyframe():
    recoder = Recoder(352, 480)
    shares = []
    for picture in (scene(0), scene(0), scene(1), scene(1)):
        vectors = recoder.vectors(picture)
        covered = 0 if vectors is None else (vectors["width"].astype(int) * vectors["height"]).sum()
        shares.append(1 - covered / (352 * 480))
    assert 0.3 < shares[2] < 0.5
    branches = [branch_from_statistics(FrameStatistics(1, intra_ratio=share), KeyframePolicy()) for share in shares[1:]]
    assert branches == [Branch.LR, Branch.HR, Branch.LR]


def test_a_fresh_picture_does_not_look_back():
    recoder = Recoder(144, 192)
    seen = [recoder.vectors(picture, fresh=n == 3) is None for n, picture in enumerate(pictures(6))]
    assert seen == [True, False, False, True, False, False]


def test_the_type_of_the_source_picture_does_not_leak_in():
    recoder = Recoder(144, 192)
    for n, picture in enumerate(pictures(4)):
        picture.pict_type = 1
        assert (recoder.vectors(picture) is None) == (n == 0)


def test_no_picture_is_ever_coded_on_its_own_for_the_calendar():
    # FFmpeg starts a new group of pictures after 600 unless told otherwise.
    recoder = Recoder(32, 32)
    few = pictures(7, height=32, width=32, step=(1, 0))
    without = [n for n in range(1300) if recoder.vectors(few[n % 7]) is None]
    assert without == [0]


@pytest.mark.parametrize("kind", ["yuv420p", "yuvj420p", "yuv422p", "nv12", "gray", "rgb24"])
def test_any_pixel_format(kind):
    recoder = Recoder(144, 192)
    for picture in pictures(2):
        vectors = recoder.vectors(picture.reformat(format=kind))
    assert inner_median(vectors, 144, 192) == (-3, -2)


@pytest.mark.skipif(not HIGHWAY.is_file(), reason="no highway clip here")
def test_same_pictures_same_vectors():
    # Real pictures: with threads in the encoder, half of them differ from run to run.
    runs = []
    for _ in range(2):
        recoder = Recoder(540, 960)
        with av.open(str(HIGHWAY)) as container:
            runs.append([recoder.vectors(picture) for picture in itertools.islice(container.decode(video=0), 15)])
    for a, b in zip(runs[0][1:], runs[1][1:], strict=True):
        np.testing.assert_array_equal(a, b)


def test_still_vectors_cover_the_frame_and_do_not_move():
    vectors = still_vectors(50, 70)
    assert len(vectors) == 4 * 5
    assert not vectors["flow_x"].any()
    assert not vectors["flow_y"].any()
    with pytest.raises(ValueError, match="read-only"):
        vectors["x"] = 0


@pytest.mark.parametrize(("height", "width"), [(64, 8192), (8200, 64), (48, 16000)])
def test_pictures_that_are_larger_than_mpeg_4_has_are_recoded_smaller(height, width):
    recoder = Recoder(height, width)
    found = None
    for rgb in moving(2, step=(4, 0), height=height, width=width):
        found = recoder.vectors(av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p"))
    assert found is not None
    assert np.median(found["flow_x"]) == pytest.approx(-4, abs=0.3)
    assert max(found["x"].max() - width, found["y"].max() - height) < 16
