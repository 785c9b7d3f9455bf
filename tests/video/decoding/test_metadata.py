"""Titles that are not UTF-8, as recorders of the AVI age wrote them: no reason to fail."""

import os
from fractions import Fraction

import av
import numpy as np
import pytest

from edge_arseg.errors import SourceError
from edge_arseg.video import open_video


def titled(path, codec="mpeg4"):
    """Six frames; title of the file, of the stream and of a chapter in Latin-1, as far as the container has them."""
    with av.open(str(path), "w") as file:
        file.metadata["title"] = "StraQe"
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.metadata.update(title="StraQe", handler_name="StraQe", comment="StraQe")
        chapter = {"id": 0, "start": 0, "end": 100, "time_base": Fraction(1, 1000), "metadata": {"title": "StraQe"}}
        if hasattr(file, "set_chapters"):  # not in the oldest PyAV
            file.set_chapters([chapter])
        for n in range(6):
            picture = np.full((96, 128, 3), 30 * n, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    content = path.read_bytes()
    assert b"StraQe" in content
    path.write_bytes(content.replace(b"StraQe", b"Stra\xdfe"))
    return path


@pytest.mark.parametrize("ending", ["avi", "mkv", "mp4", "mov", "nut", "flv"])
def test_a_title_in_latin_1_does_not_matter(tmp_path, ending):
    with open_video(titled(tmp_path / f"a.{ending}", "flv" if ending == "flv" else "mpeg4")) as reader:
        assert sum(1 for _ in reader) == 6


def test_a_file_name_that_is_not_utf_8(tmp_path):
    path = tmp_path / os.fsdecode(b"Stra\xdfe.mkv")
    titled(tmp_path / "a.mkv").rename(path)
    with open_video(path) as reader:
        assert sum(1 for _ in reader) == 6
        assert reader.uri.endswith("Stra\\xdfe.mkv")
    with pytest.raises(SourceError, match=r"Stra\\xdfe\.no: there is no such file"):
        open_video(path.with_suffix(".no"))
