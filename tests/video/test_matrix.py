"""Pictures become RGB by the matrix and the range that they say; what FFmpeg does not convert by is refused."""

import av
import numpy as np
import pytest

from edge_arseg.errors import SourceError
from edge_arseg.video import open_video
from edge_arseg.video.decoding.orientation import UPRIGHT
from edge_arseg.video.rgb import upright_rgb

PATCHES = np.array(
    [[[255, 255, 255], [0, 0, 0], [200, 30, 60]], [[10, 120, 40], [40, 60, 200], [128, 128, 128]]], np.uint8
)
UNKNOWN, BT709, BT601, BT2020 = 2, 1, 5, 9
WEIGHTS = {
    UNKNOWN: (0.299, 0.587, 0.114),
    BT709: (0.2126, 0.7152, 0.0722),
    BT601: (0.299, 0.587, 0.114),
    BT2020: (0.2627, 0.678, 0.0593),
}
LIMITED, FULL = 1, 2
LEVELS = 3
"""The most that rounding twice in 8 bits makes of a colour."""


def picture(matrix, colour_range, pixels="yuv420p", side=32):
    """Luma and chroma of the patches."""
    red, green, blue = WEIGHTS[matrix]
    rgb = np.kron(PATCHES.astype(float), np.ones((side, side, 1)))
    luma = rgb @ (red, green, blue)
    planes = [luma, 128 + (rgb[..., 2] - luma) / 2 / (1 - blue), 128 + (rgb[..., 0] - luma) / 2 / (1 - red)]
    if colour_range != FULL:
        planes = [16 + luma * 219 / 255, *(128 + (plane - 128) * 224 / 255 for plane in planes[1:])]
    step, scale = 2 if "420" in pixels else 1, 4 if "10" in pixels else 1
    frame = av.VideoFrame(rgb.shape[1], rgb.shape[0], pixels)
    for plane, values in zip(frame.planes, [planes[0], *(one[::step, ::step] for one in planes[1:])], strict=True):
        kind = np.uint16 if scale > 1 else np.uint8
        data = np.clip(np.rint(values * scale), 0, 256 * scale - 1).astype(kind).view(np.uint8)
        lines = np.zeros((data.shape[0], plane.line_size), np.uint8)
        lines[:, : data.shape[1]] = data
        plane.update(lines.tobytes())
    frame.colorspace, frame.color_range = matrix, colour_range
    return frame


def off(rgb):
    """Levels that the middles of the patches are off."""
    height, width = rgb.shape[0] // 2, rgb.shape[1] // 3
    return int(np.abs(rgb[height // 2 :: height, width // 2 :: width].astype(int) - PATCHES).max())


@pytest.mark.parametrize("size", [(64, 96), (32, 96), (96, 144)])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("colour_range", [0, LIMITED, FULL])
@pytest.mark.parametrize("matrix", WEIGHTS)
def test_a_picture_has_the_colours_that_it_says(matrix, colour_range, pixels, size):
    """PyAV before 17 took each for BT.601 of limited range: up to 30 levels off."""
    assert off(upright_rgb(picture(matrix, colour_range, pixels), size, UPRIGHT)) <= LEVELS


@pytest.mark.parametrize("size", [(64, 96), (32, 48)])
@pytest.mark.parametrize("matrix", [BT709, BT601])
def test_pixels_as_in_jpeg_are_of_full_range(matrix, size):
    assert off(upright_rgb(picture(matrix, FULL, "yuvj420p"), size, UPRIGHT)) <= LEVELS


@pytest.mark.parametrize("size", [(64, 96), (32, 48)])
@pytest.mark.parametrize("pixels", ["rgb24", "gray"])
def test_rgb_and_grey_stay_as_they_are(pixels, size):
    level = np.kron([[0, 90, 255], [30, 200, 128]], np.ones((32, 32))).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(level if pixels == "gray" else np.repeat(level[..., None], 3, 2), format=pixels)
    frame.color_range = FULL
    shown = upright_rgb(frame, size, UPRIGHT)[size[0] // 4 :: size[0] // 2, size[1] // 6 :: size[1] // 3]
    expected = np.array([[0, 90, 255], [30, 200, 128]])[..., None]
    assert np.abs(shown.astype(int) - expected).max() <= (1 if pixels == "gray" else 0)


@pytest.mark.parametrize("size", [(64, 96), (32, 48)])
@pytest.mark.parametrize("pixels", ["gray", "gray10le"])
def test_grey_of_limited_range_is_black_at_16_and_white_at_235(pixels, size):
    """A camera without colours sends it, as H.265 or AV1; FFmpeg takes all grey for one of full range."""
    level = np.kron([[16, 90, 235], [30, 200, 126]], np.ones((32, 32)))
    kind, scale = (np.uint8, 1) if pixels == "gray" else (np.uint16, 4)
    frame = av.VideoFrame.from_ndarray((scale * level).astype(kind), format=pixels)
    frame.color_range = LIMITED
    shown = upright_rgb(frame, size, UPRIGHT)[size[0] // 4 :: size[0] // 2, size[1] // 6 :: size[1] // 3]
    expected = np.array([[0, 86, 255], [16, 214, 128]])[..., None]
    assert np.abs(shown.astype(int) - expected).max() <= 2


def video(path, codec, matrix, colour_range):
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, 25)
        frame = picture(matrix if matrix in WEIGHTS else UNKNOWN, colour_range)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, colour_range
        frame.colorspace = matrix
        for given in (frame, None):
            output.mux(stream.encode(given))
    return path


@pytest.mark.parametrize("size", [None, (32, 48)])
@pytest.mark.parametrize("codec", ["libx264", "ffv1"])
@pytest.mark.parametrize("colour_range", [LIMITED, FULL])
@pytest.mark.parametrize("matrix", [BT709, BT601, BT2020])
def test_a_video_has_the_colours_that_its_stream_says(tmp_path, matrix, colour_range, codec, size):
    with open_video(video(tmp_path / "a.mkv", codec, matrix, colour_range), size=size) as reader:
        assert off(next(reader).rgb) <= LEVELS + 1


@pytest.mark.parametrize(
    ("matrix", "told"), [(8, "YCgCo"), (10, "BT.2020 with constant luminance"), (14, "ICtCp"), (11, "of matrix 11")]
)
def test_a_matrix_that_ffmpeg_does_not_convert_by_is_refused_with_what_to_type(tmp_path, matrix, told):
    """PyAV before 17 took it for BT.601; later ones said "operation not supported"."""
    clip = video(tmp_path / "a.mkv", "ffv1", matrix, LIMITED)
    for uri in (clip, f"images://{tmp_path}/*.mkv"):
        with pytest.raises(
            SourceError, match=rf"a\.mkv: its colours are {told}, .* ffmpeg -i IN -vf zscale=matrix=709"
        ):
            next(open_video(uri))


def test_a_reserved_number_of_a_matrix_says_nothing(tmp_path):
    with open_video(video(tmp_path / "a.mpg", "mpeg2video", 3, LIMITED)) as reader:
        assert off(next(reader).rgb) <= LEVELS + 1
