"""The synthetic street: determinism, labels, motion, options, and the clip written from it."""

from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_arseg.errors import OptionError, SinkError
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.street import frames_from_street, scenes_from_street, street_from_query
from edge_arseg.street.canvas import Canvas
from edge_arseg.street.layout import BUILDING, ROAD, SKY
from edge_arseg.street.texture import hazed, lay_over, packed, rgb_from_packed, texture_from_rgba
from edge_arseg.video.sources.street_clip import write_street

SMALL = (96, 128)


def test_the_same_arguments_give_the_same_pictures():
    first, second = (list(scenes_from_street(size=SMALL, count=3, seed=4)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.rgb, other.rgb)
        np.testing.assert_array_equal(one.labels, other.labels)


def test_another_seed_is_another_street():
    one, other = (next(scenes_from_street(size=SMALL, seed=seed)) for seed in (1, 2))
    assert np.mean(one.labels != other.labels) > 0.05


def test_rate_and_count_only_say_when_one_looks():
    slow = list(scenes_from_street(size=SMALL, count=3, rate=5))
    fast = list(scenes_from_street(size=SMALL, count=20, rate=10))
    np.testing.assert_array_equal(slow[2].rgb, fast[4].rgb)
    assert [scene.time_s for scene in slow] == [0.0, 0.2, 0.4]


def test_a_loop_shows_what_is_rendered_there_and_back():
    scenes = list(scenes_from_street(size=SMALL, count=9, rate=10))
    looped = list(scenes_from_street(size=SMALL, count=9, rate=10, loop=3))
    for scene, place in zip(looped, [0, 1, 2, 1, 0, 1, 2, 1, 0], strict=True):
        np.testing.assert_array_equal(scene.rgb, scenes[place].rgb)
        np.testing.assert_array_equal(scene.labels, scenes[place].labels)
    assert [(scene.index, scene.time_s) for scene in looped] == [(scene.index, scene.time_s) for scene in scenes]
    looped[1].rgb[...] = 0
    assert looped[3].rgb.any()  # pictures are the caller's own


@pytest.mark.parametrize("size", [(33, 77), (200, 90), (64, 64), (97, 160)])
def test_the_street_is_drawn_at_any_size(size):
    frame = next(frames_from_street(size=size, count=1))
    assert frame.rgb.shape == (*size, 3)
    assert frame.rgb.dtype == np.uint8
    assert frame.rgb.flags.c_contiguous
    scene = next(scenes_from_street(size=size, count=1))
    assert scene.labels.shape == size
    assert scene.labels.dtype == np.uint8


def test_every_class_is_seen_and_nothing_else():
    counts = sum(
        np.bincount(scene.labels.ravel(), minlength=256)
        for scene in scenes_from_street(size=(180, 240), count=12, rate=1)
    )
    assert counts[len(CAMVID_11) :].sum() == 0
    shares = counts[: len(CAMVID_11)] / counts.sum()
    assert shares.min() > 0.0005, dict(zip([info.name for info in CAMVID_11], shares.round(4), strict=True))
    assert shares[ROAD] > 0.15
    assert shares[BUILDING] > 0.1


def test_labels_lie_where_the_picture_shows_them():
    for scene in scenes_from_street(size=(180, 240), count=4, rate=0.5):
        sky = scene.rgb[scene.labels == SKY].astype(int)
        road = scene.rgb[scene.labels == ROAD].astype(int)
        assert sky.mean() > 170  # bright, and bluer than red
        assert sky[:, 2].mean() > sky[:, 0].mean() + 10
        assert road.mean() < 130  # dark and grey
        assert np.ptp(road.mean(0)) < 12
        assert (scene.labels[:20] == ROAD).sum() == 0
        assert (scene.labels[-20:] == SKY).sum() == 0


def test_neighbouring_frames_are_alike_but_not_equal():
    before, after = list(scenes_from_street(size=(180, 240), count=2, rate=15))
    difference = np.abs(before.rgb.astype(int) - after.rgb)
    assert 2 < difference.mean() < 25
    assert np.mean(before.labels == after.labels) > 0.85


def test_a_codec_sees_the_camera_drive_forward(tmp_path):
    path = tmp_path / "street.mp4"
    write_street(path, size=(240, 320), count=12, codec="mpeg4", seed=2)
    outward = []
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.flags2 |= 1 << 28  # export motion vectors
        for frame in container.decode(video=0):
            vectors = frame.side_data.get("MOTION_VECTORS")
            if vectors is None:
                continue
            table = vectors.to_ndarray()
            position = np.stack([table["dst_x"] - 160.0, table["dst_y"] - 113.0], -1)
            motion = np.stack([table["motion_x"], table["motion_y"]], -1) / table["motion_scale"][:, None]
            moving = np.abs(motion).sum(-1) > 0.5
            outward.append(np.mean((motion * position).sum(-1)[moving] < 0))  # it came from nearer to the middle
    assert len(outward) >= 10
    assert np.median(outward) > 0.7


def test_query_gives_options():
    assert street_from_query("") == {"size": (360, 480), "count": 120, "rate": 15.0, "seed": 1, "loop": 0}
    options = street_from_query("size=90x160&frames=7&rate=29.97&seed=12&loop=4")
    assert options == {"size": (90, 160), "count": 7, "rate": 29.97, "seed": 12, "loop": 4}
    assert len(list(frames_from_street(**street_from_query("size=48x64&frames=2")))) == 2


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("size=480", "size is '480'"),
        ("size=axb", "'a'"),
        ("size=8x8", "size is 8x8"),
        ("frames=0", "frames is 0"),
        ("frames=", "invalid literal"),
        ("rate=0", "rate is 0"),
        ("rate=nan", "rate is nan"),
        ("rate=inf", "rate is inf"),
        ("rate=1e-320", "expected 0.001 to 240"),
        ("seed=-1", "seed is -1"),
        ("loop=1", "loop is 1"),
        ("loop=-2", "loop is -2"),
        ("fps=3", "unknown option fps"),
        ("seed=1&seed=2", "seed is given twice"),
    ],
)
def test_bad_query_says_what_is_wrong(query, seen):
    with pytest.raises(OptionError) as caught:
        street_from_query(query)
    assert seen in str(caught.value)
    assert "test://street?size=360x480" in str(caught.value)


def test_all_faults_of_a_query_are_told_at_once():
    with pytest.raises(OptionError, match=r"unknown option fps.*size is 8x8.*frames is 0"):
        street_from_query("size=8x8&frames=0&fps=3")


def test_bad_keywords_are_refused_before_the_first_frame():
    with pytest.raises(OptionError, match="frames is 0"):
        frames_from_street(count=0)


def test_written_clip_and_labels_are_the_scenes(tmp_path):
    path, labels = tmp_path / "new" / "street.mp4", tmp_path / "labels"
    keywords = {"size": (95, 131), "count": 14, "rate": 12.0, "seed": 3}
    write_street(path, labels, gop=5, **keywords)
    scenes = list(scenes_from_street(**keywords))
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        assert container.streams.video[0].average_rate == 12
    assert len(frames) == 14
    assert [frame.key_frame for frame in frames] == [index % 5 == 0 for index in range(14)]
    assert [round(frame.time, 4) for frame in frames] == [round(index / 12, 4) for index in range(14)]
    for scene, frame in zip(scenes, frames, strict=True):
        decoded = frame.to_ndarray(format="rgb24")
        assert decoded.shape == (96, 132, 3)  # padded to even sides
        error = np.mean((decoded[:95, :131].astype(float) - scene.rgb) ** 2)
        assert 10 * np.log10(255**2 / error) > 24
        indices = _indices_from_png(labels / f"{scene.index:06d}.png")
        np.testing.assert_array_equal(indices, scene.labels)
    assert len(list(labels.iterdir())) == 14


def _indices_from_png(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        assert frame.format.name == "pal8"
        return np.frombuffer(frame.planes[0], np.uint8).reshape(frame.height, -1)[:, : frame.width]


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "mpeg4"), ("a.avi", "mjpeg"), ("a.ts", None), ("a.mp4", None)])
def test_other_codecs_and_containers(tmp_path, name, codec):
    write_street(
        tmp_path / name, size=(48, 64), count=5, codec=codec, bitrate=200_000, bframes=2 if codec is None else 0
    )
    with av.open(str(tmp_path / name)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 5


def test_what_cannot_be_written_is_told(tmp_path):
    with pytest.raises(OptionError, match="codec nosuch"):
        write_street(tmp_path / "a.mp4", size=(48, 64), count=1, codec="nosuch")
    with pytest.raises(OptionError, match=r"a\.zzz"):
        write_street(tmp_path / "a.zzz", size=(48, 64), count=1)
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="choose another path"):
        write_street(tmp_path / "file" / "a.mp4", size=(48, 64), count=1)
    with pytest.raises(SinkError, match="choose another path"):
        write_street(tmp_path / "a.mp4", tmp_path / "file", size=(48, 64), count=1)


# --- textures


def _picture(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    rgba = np.random.default_rng(seed).integers(0, 256, (*shape, 4)).astype(np.float32)
    rgba[..., 3] = 1
    return rgba


def test_texel_centres_give_the_texels():
    rgba = _picture((6, 10))
    texture = texture_from_rgba(rgba)
    v, u = np.mgrid[0:6, 0:10].astype(np.float32) + 0.5
    np.testing.assert_array_equal(rgb_from_packed(texture.sample(u, v, 0, 0)), rgba[..., :3])


def test_between_two_texels_is_their_mean():
    rgba = np.zeros((2, 2, 4), np.float32)
    rgba[:, 1, :3], rgba[..., 3] = 200, 1
    texture = texture_from_rgba(rgba)
    found = rgb_from_packed(texture.sample(np.array([[1.0]], np.float32), np.array([[1.0]], np.float32), 0, 0))
    np.testing.assert_array_equal(found, [[[100, 100, 100]]])


def test_a_reduction_is_the_mean_of_its_texels():
    rgba = _picture((8, 8))
    texture = texture_from_rgba(rgba)
    found = rgb_from_packed(texture.sample(np.array([[2.0]], np.float32), np.array([[1.0]], np.float32), 2, 1))
    np.testing.assert_allclose(found[0, 0], rgba[0:2, 0:4, :3].mean((0, 1)), atol=1)


def test_wrapping_goes_round_and_clamping_stays():
    rgba = _picture((8, 8))
    texture = texture_from_rgba(rgba, wrap_u=True)
    u = np.array([[8.5, 16 + 3.5]], np.float32)
    v = np.array([[99.0, -99.0]], np.float32)
    np.testing.assert_array_equal(rgb_from_packed(texture.sample(u, v, 0, 0))[0], [rgba[7, 0, :3], rgba[0, 3, :3]])


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 256))
def test_mixing_never_spills_into_the_next_channel(seed, amount):
    rng = np.random.default_rng(seed)
    rgba = rng.random((9, 9, 4)).astype(np.float32)
    rgba[..., 3] = np.where(rng.random((9, 9)) < 0.3, 1, rgba[..., 3])
    rgba[..., :3] *= 255 * rgba[..., 3:]
    texture = texture_from_rgba(rgba, edge=bool(seed % 2))
    u, v = (rng.random((2, 20, 20)) * 12 - 1).astype(np.float32)
    pixels = hazed(texture.sample(u, v, int(seed % 3), int(seed % 2)), packed((204, 212, 220)), np.uint64(amount))
    below = np.full((20, 20), packed((255, 255, 255)))
    lay_over(below, pixels)
    lanes = below.view(np.uint16).reshape(20, 20, 4)
    assert lanes.max() <= 255
    assert lanes[..., 3].min() >= 253  # what was opaque stays opaque


def test_frames_come_one_by_one():
    endless = frames_from_street(size=(48, 64), count=10**9)
    assert [frame.index for frame in islice(endless, 3)] == [0, 1, 2]


def test_counts_of_a_box_are_numpys_and_keep_noise_in_double_precision():
    """With NumPy 2 Python's numbers would keep it single, and every street would look a little different.

    NumPy 1 takes no notice of whose number it is.
    """
    rows, columns = Canvas((0.0, 9.0), (0.0, 3.0), 12).span(0.49, np.float32(8.2), -1, 2.3)
    assert (rows, columns) == (slice(8, 36), slice(6, 98))
    for side in (rows, columns):
        share = 7 / (side.stop - side.start)
        assert type(share) is np.float64
        if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
            assert (np.ones(2, np.float32) * share).dtype == np.float64
