"""What all sinks have in common: names, places, errors."""

import errno
import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.clips.results import SIZE, decoded, opened, result_at

from edge_arseg.errors import OptionError, SinkError
from edge_arseg.spec.frame import Branch, SegmentedFrame
from edge_arseg.spec.model import CAMVID_11
from edge_arseg.video.sinks import open_sink, plan_sinks


def test_null_takes_everything():
    with opened("null://") as sink:
        sink.write(result_at(0))
        assert not sink.finished


@pytest.mark.parametrize("kind", ["a.mp4", "masks", "jsonl", "null"])
def test_every_sink_checks_the_class_map_and_closes_once(tmp_path, kind):
    uri = {"a.mp4": f"{tmp_path}/a.mp4", "null": "null://"}.get(kind, f"{kind}://{tmp_path}/x")
    sink = opened(uri)
    good = result_at(0)
    sink.write(good)
    with pytest.raises(SinkError, match="int64 48x64, expected uint8 HxW"):
        sink.write(SegmentedFrame(good.frame, good.class_map.astype(np.int64), Branch.HR, 0, 1.0))
    sink.close()
    sink.close()
    with pytest.raises(SinkError, match="closed already"):
        sink.write(good)


def test_a_file_uri_is_a_path(tmp_path):
    with opened(f"file://{tmp_path}/a.mkv") as sink:
        sink.write(result_at(0))
    assert len(decoded(tmp_path / "a.mkv")) == 1


@pytest.mark.parametrize(
    ("uri", "seen"),
    [
        ("ftp://host/x", "unknown scheme ftp://"),
        ("out.flv", "the ending .flv names no sink"),
        ("out", "a name without an ending"),
        ("masks://", "no path"),
        ("jsonl://", "no path"),
        ("", "no path"),
    ],
)
def test_a_uri_that_names_no_sink(uri, seen):
    with pytest.raises(SinkError) as caught:
        opened(uri)
    assert seen in str(caught.value)
    assert "masks://DIR" in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            {"size": (0, 0)},
            r"results of the size \(0, 0\) seen, expected \(height, width\), whole numbers",
        ),
        ({"size": (1.5, 2)}, r"results of the size \(1.5, 2\)"),
        ({"size": None}, "results of the size None"),
        ({"rate": 0}, "a rate of 0 seen, expected frames a second, above 0"),
        ({"rate": float("nan")}, "a rate of nan seen"),
        ({"rate": None}, "a rate of None seen"),
    ],
)
def test_a_size_or_rate_that_is_none_is_refused(tmp_path, wrong, told):
    with pytest.raises(OptionError, match=told):
        opened(tmp_path / "a.mp4", **wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("uri", ["{}/a.mp4", "jsonl://{}/a", "{}/a.npz"])
def test_a_time_that_is_none_is_refused(tmp_path, uri):
    """A line of JSON said NaN, which is no JSON."""
    with opened(uri.format(tmp_path)) as sink, pytest.raises(SinkError, match="frame 1 has the time nan"):
        sink.write(result_at(1, time_s=float("nan")))


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (np.zeros((*SIZE, 3)), "float64 48x64x3, expected uint8 48x64x3, as its class map"),  # became black
        (np.zeros((64, 48, 3), np.uint8), "uint8 64x48x3, expected uint8 48x64x3"),
        (np.zeros(SIZE, np.uint8), "uint8 48x64, expected uint8 48x64x3"),
    ],
)
def test_a_picture_that_is_not_that_of_the_class_map_is_refused(tmp_path, picture, told):
    result = result_at(0)
    with opened(tmp_path / "a.mp4") as sink, pytest.raises(SinkError, match=f"the picture of frame 0 is {told}"):
        sink.write(replace(result, frame=replace(result.frame, picture=picture)))


@pytest.mark.parametrize("uri", ["a\0.mp4", "masks://\0", "jsonl://half \ud800 a pair"])
def test_a_name_that_no_file_can_have(uri):
    with pytest.raises(SinkError, match=r"cannot write .*\\(x00|ud800).*: no file can be called that"):
        opened(uri)


@pytest.mark.parametrize(
    "uri", ["{}/file/a.mp4", "masks://{}/file/m", "masks://{}/file", "jsonl://{}/file/a", "jsonl://{}"]
)
def test_a_place_that_cannot_be(tmp_path, uri):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match=r"choose another path|add a file name"):
        opened(uri.format(tmp_path))


@pytest.mark.parametrize(
    ("number", "seen"),
    [(errno.EROFS, "read-only"), (errno.EACCES, "permission denied"), (errno.EIO, "Input/output error")],
)
@pytest.mark.parametrize("uri", ["{}/a/b.mp4", "masks://{}/a", "jsonl://{}/a/b"])
def test_a_place_that_may_not_be_written_to(tmp_path, monkeypatch, uri, number, seen):
    def refuse(path, *arguments, **keywords):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(SinkError, match=seen) as caught:
        opened(uri.format(tmp_path))
    assert isinstance(caught.value, OSError)
    assert uri.format(tmp_path) in str(caught.value)


def test_a_folder_is_not_left_where_the_first_of_its_sinks_fails(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("edge_arseg.video.sinks.movies.encoder.Encoder.write", full)
    out = tmp_path / "new/out"
    sinks = [f"{out}/a.mp4", f"jsonl://{out}/a.jsonl", f"masks://{out}/masks"]
    with ExitStack() as stack:
        first, *_ = [
            stack.enter_context(sink) for sink in plan_sinks(sinks).open(size=(48, 64), rate=25, classes=CAMVID_11)
        ]
        with pytest.raises(SinkError, match="the disk is full"):
            first.write(result_at(0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["jsonl", "raw"])
def test_a_pipe_whose_reader_has_gone_ends_the_sink_without_an_error(scheme):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        with open_sink(f"{scheme}:///dev/fd/{writer}", size=(48, 64), rate=25, classes=CAMVID_11) as sink:
            sink.write(result_at(0))
            assert sink.finished
    finally:
        os.close(writer)
