import av
import numpy as np
import pytest

from edge_arseg.errors import SourceError
from edge_arseg.video import open_video


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
    with pytest.raises(SourceError, match="rate=fast; expected frames a second"):
        open_video(f"images://{tmp_path}/%d.png?rate=fast")
    (tmp_path / "1.png").write_bytes(b"no image")
    with open_video(f"images://{tmp_path}/%d.png") as reader:
        next(reader)
        with pytest.raises(SourceError, match=r"1\.png: not readable"):
            next(reader)
