"""Class ids as bytes."""

import os

import numpy as np
import pytest

from edge_arseg.errors import SinkError
from edge_arseg.spec.frame import Branch, Frame, SegmentedFrame
from edge_arseg.video.sinks.class_ids.raw import RawSink


def result(index, shape=(3, 4)):
    class_map = np.full(shape, index, np.uint8)
    class_map[0, 0] = 255
    return SegmentedFrame(Frame(index, index / 25, np.zeros((*shape, 3), np.uint8)), class_map, Branch.HR, 0, 1.0)


def test_a_file_holds_the_ids_and_nothing_else(tmp_path):
    with RawSink("raw://ids", tmp_path / "ids", (3, 4)) as sink:
        for index in range(3):
            sink.write(result(index))
    maps = np.fromfile(tmp_path / "ids", np.uint8).reshape(-1, 3, 4)
    assert maps[:, 2, 3].tolist() == [0, 1, 2]
    assert maps[:, 0, 0].tolist() == [255, 255, 255]


def test_what_is_there_stays_and_no_frame_leaves_nothing(tmp_path):
    (tmp_path / "ids").write_bytes(b"mine")
    with pytest.raises(SinkError, match="exists already"):
        RawSink("raw://ids", tmp_path / "ids", (3, 4))
    assert (tmp_path / "ids").read_bytes() == b"mine"
    RawSink("raw://new", tmp_path / "new", (3, 4)).close()
    assert not (tmp_path / "new").exists()


def test_a_source_that_changes_its_size_is_told_what_to_type(tmp_path):
    with RawSink("raw://ids", tmp_path / "ids", (3, 4)) as sink:
        sink.write(result(0))
        with pytest.raises(SinkError, match=r"changed to 6x8 in frame 1, .* type --output-size 3x4"):
            sink.write(result(1, (6, 8)))
    assert (tmp_path / "ids").stat().st_size == 12


def test_a_reader_that_goes_away_ends_it_quietly():
    ear, mouth = os.pipe()
    sink = RawSink("raw://-", None, (3, 4), descriptor=mouth)
    sink.write(result(0))
    assert os.read(ear, 100) == bytes([255, *[0] * 11])
    os.close(ear)
    sink.write(result(1))
    assert sink.finished
    sink.close()
    os.close(mouth)
