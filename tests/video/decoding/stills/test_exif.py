"""EXIF data of stills is followed with every FFmpeg: before 8.1 it reads that of JPEG alone."""

import io

import av
import numpy as np
import pytest
from support.clips.held import STORED, jpeg, marked, png, quarters, tiff, webp

from edge_arseg.video import open_video
from edge_arseg.video.decoding.orientation import orientation_from_picture
from edge_arseg.video.decoding.stills.exif import orientation_of_still
from edge_arseg.video.sources.images import picture_from_file

KINDS = {"jpg": jpeg, "png": png, "webp": webp, "tif": tiff}


def stored(kind, orientation):
    return KINDS[kind](np.ascontiguousarray(STORED[orientation](marked())), orientation)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientations_are_followed(tmp_path, kind, orientation):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(stored(kind, orientation))
    for uri in (path, f"images://{tmp_path}/*.{kind}"):
        with open_video(uri) as reader:
            frame = next(reader)
        assert (quarters(frame.rgb), frame.rgb.shape) == ("RGBW", (96, 128, 3))


@pytest.mark.parametrize(("kind", "decoder"), [("png", "png"), ("webp", "webp"), ("tif", "tiff")])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_where_ffmpeg_reads_it_too_it_finds_the_same(kind, decoder, orientation):
    data = stored(kind, orientation)
    found = orientation_of_still(decoder, data)
    with av.open(io.BytesIO(data)) as container:
        assert orientation_from_picture(next(container.decode(video=0))) in (None, found)
    assert found is not None


def test_each_of_several_pictures_in_one_file_has_its_own(tmp_path):
    (tmp_path / "a.png").write_bytes(b"".join(stored("png", orientation) for orientation in (3, 1, 4)))
    with open_video(tmp_path / "a.png") as reader:
        assert [quarters(frame.rgb) for frame in reader] == ["RGBW"] * 3


def test_training_reads_a_picture_as_it_is_shown(tmp_path):
    (tmp_path / "a.tif").write_bytes(stored("tif", 6))
    picture = picture_from_file(tmp_path / "a.tif", "a")
    assert picture.held.sides(picture.frame.height, picture.frame.width) == (96, 128)


@pytest.mark.parametrize(("kind", "decoder"), [("png", "png"), ("webp", "webp"), ("tif", "tiff")])
def test_damaged_exif_data_says_nothing(kind, decoder):
    data = stored(kind, 6)
    for size in (*range(0, 200), *range(len(data) - 200, len(data))):
        orientation_of_still(decoder, data[:size])
    at = data.index(b"\x12\x01\x03\x00") if kind == "tif" else data.index(b"II*\0")
    for place in range(at, at + 24):
        for value in (0, 255):
            orientation_of_still(decoder, data[:place] + bytes((value,)) + data[place + 1 :])
    assert orientation_of_still(decoder, data.replace(b"\x12\x01\x03\x00", b"\x13\x01\x03\x00")) is None


def test_of_other_kinds_and_where_nothing_is_said_nothing_is_known():
    assert orientation_of_still("mjpeg", stored("jpg", 6)) is None
    assert orientation_of_still("png", b"") is None
    assert orientation_of_still("tiff", tiff(marked(), 9)) is None
