import os
from fractions import Fraction

import av
import numpy as np
import pytest
from support.clips.broken import audio_only
from support.clips.heif import tiled
from support.clips.moving import encode, moving

from edge_arseg.errors import OptionError, SourceError
from edge_arseg.video import open_video
from edge_arseg.video.decoding.damage.stills import demand_whole


def write(path, level, size=(48, 64)):
    frame = av.VideoFrame.from_ndarray(np.full((*size, 3), level, np.uint8), format="rgb24")
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as output:
        stream = output.add_stream("png", 25)
        stream.width, stream.height, stream.pix_fmt = size[1], size[0], "rgb24"
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def levels(uri, **options):
    with open_video(uri, **options) as reader:
        return [int(frame.rgb[0, 0, 0]) for frame in reader]


def test_numbers_count_not_names_and_gaps_are_fine(tmp_path):
    for number in (9, 10, 11, 15, 100):
        write(tmp_path / f"f{number}.png", number)
    write(tmp_path / "other.png", 255)
    assert levels(f"images://{tmp_path}/f%d.png") == [9, 10, 11, 15, 100]
    assert levels(f"images://{tmp_path}/f%03d.png") == [100]


def test_a_star_takes_names_in_order(tmp_path):
    for number, name in enumerate(("a_07959", "a_07961", "b_1")):
        write(tmp_path / f"{name}.png", number)
    assert levels(f"images://{tmp_path}/*.png") == [0, 1, 2]
    assert levels(f"images://{tmp_path}/a_*.png") == [0, 1]


def test_what_systems_hide_in_folders_is_no_image(tmp_path):
    write(tmp_path / "a.png", 7)
    for name in ("._a.png", ".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r"):
        (tmp_path / name).write_bytes(b"\0\5\x16\7")
    assert levels(f"images://{tmp_path}/*") == [7]
    assert levels(f"{tmp_path}/*") == [7]


def test_pixels_are_exact_and_time_follows_the_rate(tmp_path):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (48, 64, 3), np.uint8)
    for n in range(3):
        write(tmp_path / f"{n}.png", picture)
    for uri, options in ((f"images://{tmp_path}/%d.png?rate=10", {}), (f"images://{tmp_path}/%d.png", {"rate": 10})):
        with open_video(uri, **options) as reader:
            frames = list(reader)
        assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2])
        np.testing.assert_array_equal(frames[2].rgb, picture)
        assert (reader.frame_count, reader.rate) == (3, 10)


def test_images_of_another_size_are_scaled_to_the_first(tmp_path):
    write(tmp_path / "0.png", 10)
    write(tmp_path / "1.png", 20, (96, 100))
    with open_video(f"images://{tmp_path}/%d.png") as reader:
        first, second = reader
    assert second.rgb.shape == first.rgb.shape
    assert second.vectors is None


def test_what_cannot_be_used_is_named(tmp_path):
    with pytest.raises(SourceError, match="there is no folder"):
        open_video(f"images://{tmp_path}/no/%d.png")
    with pytest.raises(SourceError, match=r"no file in .* fits %06d.png"):
        open_video(f"images://{tmp_path}/%06d.png")
    with pytest.raises(SourceError, match="names no sequence"):
        open_video(f"images://{tmp_path}/a.png")
    write(tmp_path / "0.png", 10)
    for rate in ("fast", "nan", "inf", "-inf", "1e-320", "1e400", "0", "-1", "0.0009", "10001", ""):
        for pattern in (f"images://{tmp_path}/%d.png", f"{tmp_path}/*.png", str(tmp_path)):
            with pytest.raises(SourceError, match=rf"rate={rate}; expected frames a second, .* from 0.001 to 10,000"):
                open_video(f"{pattern}?rate={rate}")
    for rate in (0, float("nan")):
        with pytest.raises(OptionError, match=f"a rate of {rate} seen, expected frames a second"):
            open_video(f"images://{tmp_path}/%d.png", rate=rate)
    with open_video(f"images://{tmp_path}/%d.png?rate=0.001") as reader:
        assert reader.rate == 0.001
    (tmp_path / "0a.png").symlink_to("nowhere.png")
    for pattern in (f"images://{tmp_path}/*.png", str(tmp_path)):
        with open_video(pattern) as reader:
            next(reader)
            with pytest.raises(SourceError, match=r"0a\.png: there is no such file"):
                next(reader)
    (tmp_path / "0a.png").unlink()
    (tmp_path / "1.png").write_bytes(b"no image")
    with open_video(f"images://{tmp_path}/%d.png") as reader:
        next(reader)
        with pytest.raises(SourceError, match=r"1\.png: not readable"):
            next(reader)


def test_a_star_counts_numbers_in_names_and_leaves_hidden_files_alone(tmp_path):
    for number in (1, 2, 10):
        write(tmp_path / f"f{number}.png", number)
    (tmp_path / "._f1.png").write_bytes(b"\0\5\x16\7")
    (tmp_path / "folder.png").mkdir()
    assert levels(f"images://{tmp_path}/*.png") == [1, 2, 10]
    assert levels(f"images://{tmp_path}/f?.png") == [1, 2]
    assert levels(f"images://{tmp_path}/?1.png") == [1]
    write(tmp_path / ".g.png", 7)
    assert levels(f"images://{tmp_path}/.g*.png") == [7]


@pytest.mark.parametrize("uri", ["{}/f%03d.png", "images://{}/f%03d.png", "file://{}/f%03d.png", "{}/f*.png"])
def test_a_gap_does_not_end_the_sequence(tmp_path, uri):
    for number in (0, 1, 2, 3, 4, 20, 21, 22):
        write(tmp_path / f"f{number:03d}.png", number)
    assert levels(uri.format(tmp_path)) == [0, 1, 2, 3, 4, 20, 21, 22]


def test_numbers_of_mixed_width_are_all_taken_or_told(tmp_path, caplog):
    for number in (1, 9, 10, 11):
        write(tmp_path / f"f{number}.png", number)
    assert levels(f"{tmp_path}/f%d.png") == [1, 9, 10, 11]
    assert levels(f"{tmp_path}/f%02d.png") == [10, 11]
    assert "f%02d.png: 2 files like f1.png have fewer digits and are left out; %d takes them too" in caplog.text
    write(tmp_path / "f001.png", 1)
    with pytest.raises(SourceError, match=r"f001\.png and f1\.png have the same number"):
        open_video(f"images://{tmp_path}/f%d.png")


@pytest.mark.parametrize("name", ["12:30.png", "a%03d.png", "b*.png", "c{1}.png", "d?.png", "rtsp:e.png"])
def test_names_that_ffmpeg_would_misread(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "z.png", 42)
    (tmp_path / "z.png").rename(tmp_path / name)
    write(tmp_path / "a001.png", 99)
    assert levels(name) == [42]
    assert 42 in levels("images://*.png")


def test_a_file_of_several_pictures_is_no_image(tmp_path):
    encode(tmp_path / "a.mp4", moving(3))
    with pytest.raises(SourceError, match=r"a\.mp4: more than one picture in it; .* type its name without images://"):
        open_video(f"images://{tmp_path}/*.mp4")
    encode(tmp_path / "b.webp", moving(3), "libwebp_anim")
    with pytest.raises(SourceError, match=r"b\.webp: an animated WebP, which this FFmpeg cannot decode"):
        open_video(f"images://{tmp_path}/*.webp")


def test_an_image_in_tiles_is_refused_also_in_a_folder(tmp_path):
    """A phone's HEIC: its first tile was taken for the picture."""
    tiles = [np.full((128, 128, 3), level, np.uint8) for level in (50, 200)]
    for number in (0, 1):
        tiled(tmp_path / f"{number}.heic", tiles)
    for uri in (str(tmp_path / "0.heic"), f"images://{tmp_path}/*.heic"):
        with pytest.raises(SourceError, match=r"0\.heic: FFmpeg gives this picture only in tiles; convert it to JPEG"):
            open_video(uri)


def test_what_is_no_picture_is_none_among_images(tmp_path):
    write(tmp_path / "a.png", 7)
    (tmp_path / "b.nfo").write_text("a text that FFmpeg would draw as letters\n" * 9)
    with open_video(f"images://{tmp_path}/*") as reader:
        next(reader)
        with pytest.raises(SourceError, match=r"b\.nfo: this is text"):
            next(reader)
    audio_only(tmp_path / "c.m4a")
    with pytest.raises(SourceError, match=r"c\.m4a: no video in it, only audio"):
        open_video(f"images://{tmp_path}/*.m4a")


def test_what_follows_a_still_in_its_file_is_no_frame(tmp_path):
    """Phones write a gain map behind the picture, as a second JPEG."""
    for number, level in ((0, 50), (1, 200)):
        encode(tmp_path / f"{number}.jpg", [np.full((48, 64, 3), level, np.uint8)], "mjpeg", pix_fmt="yuvj420p")
    both = (tmp_path / "0.jpg").read_bytes() + (tmp_path / "1.jpg").read_bytes()
    (tmp_path / "both.jpg").write_bytes(both)
    assert levels(f"images://{tmp_path}/both*.jpg") == pytest.approx([50], abs=3)


def test_an_empty_folder_is_told_what_to_type(tmp_path):
    with pytest.raises(SourceError, match=r"no video and no picture in this folder; .* type .*/\*\*/\*\.mp4"):
        open_video(f"images://{tmp_path}")


def jpeg(size=(96, 128)):
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = size[1], size[0], "yuvj420p", Fraction(1, 25)
    picture = next(moving(1, height=size[0], width=size[1]))
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_jpeg_that_is_cut_off_is_refused(tmp_path, share):
    data = jpeg()
    (tmp_path / "a.jpg").write_bytes(data)
    (tmp_path / "b.jpg").write_bytes(data[: int(len(data) * share)])
    with open_video(f"images://{tmp_path}/*.jpg") as reader:
        next(reader)
        with pytest.raises(SourceError, match=r"b\.jpg: not readable as video: empty, damaged, cut off"):
            next(reader)
    with pytest.raises(SourceError, match="can decode no picture of it; it is cut off or damaged"):
        open_video(tmp_path / "b.jpg")


def test_what_is_wrong_beside_the_pixels_of_a_jpeg_is_no_matter(tmp_path):
    data = jpeg()
    broken = data[:2] + b"\xff\xe1\0\x12Exif\0\0II*\0\xff\xff\xff\x7f" + bytes(2) + data[2:]
    for name, content in (("a", data), ("b", broken), ("c", data[:-2]), ("d", data + bytes(500))):
        (tmp_path / f"{name}.jpg").write_bytes(content)
    with open_video(f"images://{tmp_path}/*.jpg") as reader:
        first, *others = (frame.rgb for frame in reader)
    assert len(others) == 3
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_a_gif_of_one_picture_that_is_cut_off_is_refused(tmp_path):
    data = encode(tmp_path / "a.gif", moving(1), "gif", pix_fmt="rgb8").read_bytes()
    (tmp_path / "b.gif").write_bytes(data[: len(data) * 2 // 3])
    with open_video(f"images://{tmp_path}/*.gif") as reader:
        next(reader)
        with pytest.raises(SourceError, match=r"b\.gif: the file is cut off or broken: .* bytes are there"):
            next(reader)


@pytest.mark.parametrize("name", ["f%03d.png", "*.png"])
def test_a_pipe_among_images_is_told_and_not_waited_for(tmp_path, name):
    encode(tmp_path / "f001.png", moving(1), "png", pix_fmt="rgb24")
    os.mkfifo(tmp_path / "f002.png")
    with open_video(tmp_path / name, motion="zero") as reader:
        next(reader)
        with pytest.raises(SourceError, match=r"f002.png: a pipe or a device, which holds no picture; expected a file"):
            next(reader)


class Unread:
    """A packet whose bytes nobody may copy."""

    def __bytes__(self):
        raise AssertionError("copied")


@pytest.mark.parametrize(("container", "codec"), [("matroska,webm", "h264"), ("png_pipe", "png"), ("mov,mp4", "tiff")])
def test_no_packet_is_copied_that_holds_no_tiff(container, codec):
    demand_whole("a", container, av.CodecContext.create(codec, "r"), Unread())
