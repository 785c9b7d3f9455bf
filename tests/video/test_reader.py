import itertools
import sys

import numpy as np
import pytest
from support.clips.moving import HEIGHT, SHARED, WIDTH, chainable, encode, moving

from edge_arseg.errors import OptionError
from edge_arseg.motion import KeyframePolicy, MotionChain
from edge_arseg.spec.frame import Branch, MotionSource
from edge_arseg.video import open_video

HIGHWAY = SHARED / "clips" / "highway_960x540.mp4"
CAMVID = SHARED / "camvid" / "val" / "images"

ENCODINGS = {
    "x264 defaults": ("a.mp4", "libx264", {}),
    "GOP 250": ("a.mp4", "libx264", {"g": 250, "keyint_min": 250, "preset": "veryfast"}),
    "no B, one reference": ("a.mp4", "libx264", {"bf": 0, "refs": 1, "g": 12}),
    "intra refresh": ("a.mp4", "libx264", {"bf": 0, "refs": 1, "intra_refresh": 1, "preset": "veryfast"}),
    "HEVC": ("a.mp4", "libx265", {"x265_params": "log-level=none", "preset": "ultrafast"}),
    "VP9": ("a.webm", "libvpx-vp9", {"deadline": "realtime", "cpu_used": 8}),
    "MPEG-4": ("a.mp4", "mpeg4", {}),
    "MPEG-2": ("a.ts", "mpeg2video", {"bf": 2}),
    "MJPEG": ("a.avi", "mjpeg", {"pix_fmt": "yuvj422p"}),
    "raw H.264": ("a.h264", "libx264", {"preset": "ultrafast"}),
    "rotated": ("a.mp4", "libx264", {"rotation": -90, "preset": "veryfast"}),
    "variable rate": ("a.mp4", "libx264", {"times": [33 * n + 50 * (n // 5) for n in range(200)]}),
}


def made(folder, name, pictures):
    file, codec, options = ENCODINGS[name]
    return encode(folder / file, pictures, codec, **options)


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2))


def warped_back(picture, flow, block):
    """``picture`` at ``p + flow(p)``, nearest."""
    height, width = picture.shape[:2]
    flow = np.repeat(np.repeat(flow, block, 0), block, 1)[:height, :width]
    y, x = np.mgrid[0:height, 0:width]
    return picture[
        np.clip(np.rint(y + flow[..., 1]), 0, height - 1).astype(int),
        np.clip(np.rint(x + flow[..., 0]), 0, width - 1).astype(int),
    ]


@pytest.mark.parametrize("name", ENCODINGS)
def test_as_many_frames_come_out_as_went_in(tmp_path, name):
    with open_video(made(tmp_path, name, moving(30))) as reader:
        frames = list(reader)
    assert [frame.index for frame in frames] == list(range(30))
    assert all(a.time_s < b.time_s for a, b in itertools.pairwise(frames))
    assert {frame.rgb.shape for frame in frames} == {(reader.height, reader.width, 3)}
    assert all(frame.rgb.dtype == np.uint8 and frame.rgb.flags.c_contiguous for frame in frames)
    assert not any(frame.damaged for frame in frames)
    assert frames[0].vectors is None
    assert reader.rate == pytest.approx(25, abs=4)


@pytest.mark.skipif(not CAMVID.is_dir(), reason="no CamVid here")
@pytest.mark.parametrize("name", ENCODINGS)
def test_real_pictures_in_every_encoding(tmp_path, name):
    with open_video(f"images://{CAMVID}/*.png") as reader:
        pictures = [frame.rgb for frame in itertools.islice(reader, 26)]
    with open_video(made(tmp_path, name, pictures)) as reader:
        chain = MotionChain(reader.height, reader.width, policy=KeyframePolicy(interval=12))
        branches = [chain.follow(frame)[0] for frame in reader]
    assert len(branches) == 26
    assert branches.count(Branch.HR) in (3, 4)  # every 12 frames, and where the stream's own vectors have a hole


@pytest.mark.parametrize("motion", ["recode", "codec"])
@pytest.mark.parametrize(
    ("size", "rotation"),
    [(None, None), ((216, 240), None), ((72, 96), None), (None, -90), (None, 180), ((161, 131), 90)],
)
def test_vectors_lead_to_the_keyframe_however_the_picture_is_fitted(tmp_path, motion, size, rotation):
    clip = chainable(tmp_path / "a.mp4", 6, rotation=rotation, crf=10)
    with open_video(clip, motion=motion, size=size) as reader:
        chain = MotionChain(reader.height, reader.width, block=2)
        frames = [(frame, *chain.follow(frame)) for frame in reader]
    key, (last, branch, field) = frames[0][0].rgb, frames[-1]
    assert branch is Branch.LR
    assert field.source is MotionSource(motion)
    inside = slice(24, -24), slice(24, -24)
    aligned = psnr(warped_back(key, field.flow, field.block)[inside], last.rgb[inside])
    unaligned = psnr(key[inside], last.rgb[inside])
    assert aligned > unaligned + 5


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
def test_frames_are_delivered_upright(tmp_path, rotation):
    stored = next(moving(1))
    encode(tmp_path / "a.mp4", [stored], rotation=rotation, crf=10)
    with open_video(tmp_path / "a.mp4") as reader:
        frame = next(reader)
    assert reader.rotation % 360 == rotation % 360
    # The rotation is counter-clockwise, like that of numpy.
    upright = np.rot90(stored, rotation // 90)
    assert (reader.height, reader.width) == upright.shape[:2]
    # 4:2:0 blurs colours; turned the wrong way it would be below 12.
    assert psnr(frame.rgb, upright) > 25


def test_times_come_from_the_container(tmp_path):
    times = [0, 40, 200, 210, 1000, 1500]
    with open_video(encode(tmp_path / "a.mkv", moving(6), times=times)) as reader:
        assert [round(frame.time_s * 1000) for frame in reader] == times


@pytest.mark.parametrize("size", [None, (100, 60)])
@pytest.mark.parametrize(("codec", "ending", "kind"), [("libx264", "mp4", "yuv420p"), ("mjpeg", "avi", "yuvj420p")])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_colours_have_full_range(tmp_path, size, codec, ending, kind, level):
    picture = np.full((HEIGHT, WIDTH, 3), level, np.uint8)
    with open_video(encode(tmp_path / f"a.{ending}", [picture], codec, pix_fmt=kind), size=size) as reader:
        assert abs(int(np.median(next(reader).rgb)) - level) <= 2


def test_a_change_of_size_is_a_keyframe_and_keeps_the_size_of_the_frames(tmp_path):
    small, large = tmp_path / "small.ts", tmp_path / "large.ts"
    encode(small, moving(8), bf=0, refs=1)
    encode(large, moving(8, height=240, width=320), bf=0, refs=1)
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    for motion in ("recode", "codec"):
        with open_video(both, motion=motion) as reader:
            frames = list(reader)
        assert len(frames) == 16
        assert {frame.rgb.shape for frame in frames} == {(HEIGHT, WIDTH, 3)}
        assert [n for n, frame in enumerate(frames) if frame.vectors is None] == [0, 8]


def test_rgb_belongs_to_the_caller(tmp_path):
    with open_video(chainable(tmp_path / "a.mp4", 6)) as reader:
        frames = list(reader)
    with open_video(tmp_path / "a.mp4") as reader:
        for kept, frame in zip(frames, reader, strict=True):
            np.testing.assert_array_equal(kept.rgb, frame.rgb)
            kept.rgb[:] = 0  # does not disturb the decoder


def test_what_the_reader_says_about_the_source(tmp_path):
    with open_video(chainable(tmp_path / "a.mp4", 10)) as reader:
        assert (reader.height, reader.width, reader.frame_count, reader.rate) == (HEIGHT, WIDTH, 10, 25)
        assert (reader.uri, reader.live, reader.rotation) == (str(tmp_path / "a.mp4"), False, 0)


def test_a_closed_reader_ends(tmp_path):
    with open_video(chainable(tmp_path / "a.mp4", 10)) as reader:
        next(reader)
    reader.close()
    assert list(reader) == []


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"ahead": -1}, "-1 frames read ahead: expected a whole number from 0 to 256"),  # waited for room for ever
        ({"ahead": 1.5}, "1.5 frames read ahead"),
        ({"ahead": 10**9}, "1000000000 frames read ahead"),
        ({"pace": 0}, "a pace of 0 frames a second: expected a number above 0"),
        ({"pace": -25.0}, "a pace of -25.0 frames a second"),  # all frames were due before they came
        ({"pace": float("nan")}, "a pace of nan frames a second"),
    ],
)
def test_numbers_out_of_range_are_refused(value, told):
    with pytest.raises(OptionError, match=told):
        open_video("test://street?frames=3&size=64x64", **value)


@pytest.mark.parametrize("size", [(0, 100), (8, 8), (-5, 20)])
def test_sizes_out_of_range_are_refused(tmp_path, size):
    with pytest.raises(OptionError, match="each 16 or more"):
        open_video(chainable(tmp_path / "a.mp4", 2), size=size)


@pytest.mark.skipif(not HIGHWAY.is_file(), reason="no highway clip here")
def test_an_ordinary_camera_file():
    with open_video(HIGHWAY, size=(270, 480)) as reader:
        chain = MotionChain(reader.height, reader.width)
        followed = [chain.follow(frame) for frame in reader]
    assert len(followed) == reader.frame_count == 221
    assert [n for n, (branch, _) in enumerate(followed) if branch is Branch.HR] == list(range(0, 221, 12))
    assert max(field.intra_ratio for _, field in followed[1:]) < 0.3


def test_the_rendered_street_is_a_source():
    pytest.importorskip("edge_arseg.street")
    with open_video("test://street?size=96x128&frames=3&rate=10") as reader:
        frames = list(reader)
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2])
    assert frames[0].rgb.shape == (96, 128, 3)
    assert frames[2].vectors is not None
    assert reader.motion_source is MotionSource.RECODE


@pytest.mark.timed
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak in KiB")
def test_memory_does_not_grow(tmp_path):
    import resource

    clip = encode(tmp_path / "a.mp4", moving(120, height=360, width=480, step=(1, 0)), preset="ultrafast", bf=0, refs=1)
    peaks = []
    with open_video(clip, motion="recode") as reader:
        for frame in reader:
            if frame.index in (40, 119):  # in KiB, on Linux
                peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    # 80 frames of RGB are 41 MB.
    assert peaks[1] - peaks[0] < 8 * 1024
