"""Pictures are shown as FFmpeg and browsers show them, and their motion is that of the shown pixels."""

import logging
import math

import av
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext
from support.clips.held import STORED, jpeg, marked, quarters, still
from support.clips.moving import chainable, encode
from support.clips.mp4 import with_matrix

from edge_arseg.motion import MotionChain
from edge_arseg.spec.frame import VECTOR_DTYPE, Branch
from edge_arseg.video import open_video
from edge_arseg.video.decoding.orientation import Orientation, orientation_from_matrix
from edge_arseg.video.fit import Fit

MATRICES = {
    "hflip": ((-1, 0, 0, 1), "GRWB"),
    "vflip": ((1, 0, 0, -1), "BWRG"),
    "transpose": ((0, 1, 1, 0), "RBGW"),
    "antitranspose": ((0, -1, -1, 0), "WGBR"),
    "upright": ((1, 0, 0, 1), "RGBW"),
    "right": ((0, 1, -1, 0), "BRWG"),
    "half": ((-1, 0, 0, -1), "WBGR"),
    "left": ((0, -1, 1, 0), "GWRB"),
    "mirrored and twice as large": ((-2, 0, 0, 2), "GRWB"),
    "all zeros": ((0, 0, 0, 0), "RGBW"),
}


def shown(source, **options):
    with open_video(source, **options) as reader:
        return [quarters(frame.rgb) for frame in reader]


@pytest.mark.parametrize("ending", ["mp4", "mov"])
@pytest.mark.parametrize("name", MATRICES)
def test_a_matrix_is_followed(tmp_path, name, ending):
    matrix, letters = MATRICES[name]
    clip = with_matrix(encode(tmp_path / f"a.{ending}", [marked()] * 2, bf=0, refs=1), *matrix)
    assert shown(clip) == [letters] * 2
    assert shown(clip, size=(80, 112)) == [letters] * 2


@pytest.mark.parametrize(
    ("degrees", "letters", "said"),
    [(89.3, "GWRB", False), (-0.6, "RGBW", False), (179.5, "WBGR", False), (10, "RGBW", True), (70, "GWRB", True)],
)
def test_angles_are_rounded_to_quarters_with_a_line_where_they_are_far(tmp_path, caplog, degrees, letters, said):
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    clip = with_matrix(encode(tmp_path / "a.mp4", [marked()] * 2), cos, -sin, sin, cos)
    with caplog.at_level(logging.WARNING):
        assert shown(clip) == [letters] * 2
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ([f"{clip}: it asks to be turned by {degrees} degrees to the left; turned by "
                      f"{90 if degrees == 70 else 0}, the nearest quarter"] if said else [])  # fmt: skip


def test_a_matrix_that_mirrors_and_turns_by_half_a_degree_is_a_mirror():
    cos, sin = round(65536 * math.cos(0.008)), round(65536 * math.sin(0.008))
    assert orientation_from_matrix(np.array([-cos, sin, 0, sin, cos], np.int32).tobytes()) == Orientation(0, True)


@pytest.mark.parametrize(("what", "letters"), [("flip=horizontal", "GRWB"), ("rotate=90", "GWRB")])
def test_what_the_stream_itself_says_holds_until_it_says_otherwise(tmp_path, what, letters):
    """An SEI message, which stands only before the intra picture."""
    clip, told = chainable(tmp_path / "a.mp4", 2), tmp_path / "told.mp4"
    encode(clip, [marked()] * 3, bf=0, refs=1)
    with av.open(str(clip)) as given, av.open(str(told), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        insert = BitStreamFilterContext(f"h264_metadata=display_orientation=insert:{what}", given.streams.video[0])
        for packet in given.demux(video=0):
            for changed in insert.filter(packet) if packet.dts is not None else ():
                changed.stream = stream
                output.mux(changed)
    assert shown(told) == [letters] * 3
    with open_video(told, motion="codec") as reader:
        assert [frame.vectors is None for frame in reader] == [True, False, False]


def test_each_image_has_its_own_orientation_and_a_change_is_a_keyframe(tmp_path):
    for n, orientation in enumerate((1, 1, 2, 2, 6, 6, 1, 3)):
        rgb = np.ascontiguousarray(STORED[orientation](marked()))
        (tmp_path / f"{n}.jpg").write_bytes(jpeg(rgb, orientation))
    with open_video(f"images://{tmp_path}/%d.jpg") as reader:
        frames = list(reader)
    assert [quarters(frame.rgb) for frame in frames] == ["RGBW"] * 8
    assert [frame.vectors is None for frame in frames] == [True, False, True, False, True, False, True, True]
    chain = MotionChain(96, 128)
    assert [n for n, frame in enumerate(frames) if chain.follow(frame)[0] is Branch.HR] == [0, 2, 4, 6, 7]


def test_an_image_with_no_orientation_is_upright_whatever_came_before(tmp_path):
    (tmp_path / "0.jpg").write_bytes(jpeg(np.ascontiguousarray(STORED[2](marked())), 2))
    (tmp_path / "1.jpg").write_bytes(still("mjpeg", marked(), "yuvj420p"))
    assert shown(f"images://{tmp_path}/%d.jpg") == ["RGBW", "RGBW"]


def moved(count, dx):
    """A texture whose content moves ``dx`` pixels to the right with each picture."""
    wall = np.kron(np.random.default_rng(5).integers(0, 255, (12, 40, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
    return [np.ascontiguousarray(wall[:, 100 - dx * n : 228 - dx * n]) for n in range(count)]


@pytest.mark.parametrize("motion", ["codec", "recode"])
@pytest.mark.parametrize(
    ("name", "flow"),
    [("hflip", (4, 0)), ("vflip", (-4, 0)), ("transpose", (0, -4)), ("antitranspose", (0, 4)), ("left", (0, 4))],
)
@pytest.mark.parametrize("size", [None, (64, 96)])
def test_motion_is_mirrored_and_turned_with_the_picture(tmp_path, motion, name, flow, size):
    """Stored, the content moves 4 pixels to the right, so it comes from (-4, 0)."""
    clip = with_matrix(encode(tmp_path / "a.mp4", moved(4, 4), bf=0, refs=1), *MATRICES[name][0])
    with open_video(clip, motion=motion, size=size) as reader:
        frames = list(reader)
    height, width = frames[0].rgb.shape[:2]
    stored = (96, 128) if MATRICES[name][0][0] else (128, 96)
    expected = flow[0] * width / stored[1], flow[1] * height / stored[0]
    for frame in frames[1:]:
        vectors = frame.vectors
        inside = (abs(vectors["x"] - width / 2) < width / 3) & (abs(vectors["y"] - height / 2) < height / 3)
        found = np.median(vectors["flow_x"][inside]), np.median(vectors["flow_y"][inside])
        assert found == pytest.approx(expected, abs=0.3)


def test_a_mirrored_block_lies_where_its_pixels_lie():
    block = np.array([(24, 8, 16, 16, 4.0, -2.0)], VECTOR_DTYPE)  # x 16..32, y 0..16 of 64x48
    assert Fit(48, 64, 0, mirrored=True).vectors(block, 48, 64).tolist() == [(40, 8, 16, 16, -4.0, -2.0)]
    # Transposed: x and y change places.
    assert Fit(48, 64, 1, mirrored=True).vectors(block, 48, 64).tolist() == [(8, 24, 16, 16, -2.0, 4.0)]
