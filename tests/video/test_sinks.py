"""Sinks: what they write, read back independently; what they say when they cannot."""

import errno
import json
import os
import signal
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import av
import numpy as np
import pytest

from edge_arseg.errors import OptionError, SinkError
from edge_arseg.spec.classes import CAMVID_11
from edge_arseg.spec.frame import Branch, Frame, MotionField, MotionSource
from edge_arseg.spec.result import SegmentedFrame
from edge_arseg.video.sinks import encoder, open_sink

SIZE = (48, 64)


def _result(index=0, *, time_s=None, size=SIZE, seed=0, branch=None):
    rng = np.random.default_rng([seed, index])
    rows = np.arange(size[0])[:, None, None]
    rgb = np.broadcast_to((rows * 3 + index * 5) % 256, (*size, 3)).astype(np.uint8)
    class_map = (np.arange(size[1])[None, :] // 6 + rng.integers(0, 2, (size[0], 1))).astype(np.uint8)
    distance = index % 12
    branch = branch or (Branch.LR if distance else Branch.HR)
    motion = None
    if branch is Branch.LR:
        motion = MotionField(np.zeros((3, 4, 2), np.float32), 16, MotionSource.RECODE, 0.125)
    frame = Frame(index, index / 15 if time_s is None else time_s, rgb)
    return SegmentedFrame(frame, class_map, branch, distance, 4.5678, motion)


def _open(uri, **keywords):
    return open_sink(str(uri), **{"size": SIZE, "rate": 15.0, "classes": CAMVID_11} | keywords)


def _decoded(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


# --- overlay video


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.m4v", "A.MP4"])
def test_movie_shows_the_overlay(tmp_path, name):
    path = tmp_path / "new" / "folder" / name
    with _open(path, legend=False, alpha=0.0) as sink:
        for index in range(20):
            sink.write(_result(index))
    frames = _decoded(path)
    assert len(frames) == 20
    for index, frame in enumerate(frames):
        shown = frame.to_ndarray(format="rgb24")[8:-8, 8:-8].astype(float)
        wanted = _result(index).frame.rgb[8:-8, 8:-8]
        assert np.abs(shown - wanted).mean() < 8


def test_movie_says_which_colours_it_holds(tmp_path):
    with _open(tmp_path / "a.mp4", alpha=1.0, legend=False) as sink:
        for index in range(3):
            result = _result(index, branch=Branch.LR)
            result.class_map[...] = 3
            sink.write(result)
    frame = _decoded(tmp_path / "a.mp4")[-1]
    assert frame.format.name == "yuv420p"
    assert frame.colorspace == 5  # BT.601
    assert np.abs(frame.to_ndarray(format="rgb24").reshape(-1, 3).mean(0) - (128, 64, 128)).max() < 4


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_uneven_frame_times_are_kept(tmp_path, suffix):
    times = [7.0, 7.04, 7.1, 7.1333333, 7.5, 7.51]
    with _open(tmp_path / f"a{suffix}") as sink:
        for index, time_s in enumerate(times):
            sink.write(_result(index, time_s=time_s))
    tick = 1 / 60000 if suffix == ".mp4" else 1 / 1000
    found = [frame.time for frame in _decoded(tmp_path / f"a{suffix}")]
    assert found == pytest.approx([time_s - 7.0 for time_s in times], abs=tick)


def test_times_that_do_not_grow_are_moved_on(tmp_path):
    with _open(tmp_path / "a.mp4") as sink:
        for index, time_s in enumerate([1.0, 1.0, 0.5, 1.2]):
            sink.write(_result(index, time_s=time_s))
    found = [frame.pts for frame in _decoded(tmp_path / "a.mp4")]
    assert len(found) == 4
    assert sorted(set(found)) == found


@pytest.mark.parametrize("size", [(47, 63), (48, 63), (47, 64)])
def test_odd_sizes(tmp_path, size):
    with _open(tmp_path / "a.mp4", size=size, legend=False) as sink:
        sink.write(_result(size=size))
    assert (_decoded(tmp_path / "a.mp4")[0].height, _decoded(tmp_path / "a.mp4")[0].width) == (48, 64)


def test_without_h264_it_is_mpeg4(tmp_path, monkeypatch):
    monkeypatch.setattr(encoder, "first_codec", lambda *names: names[-1])
    with _open(tmp_path / "a.mp4") as sink:
        for index in range(4):
            sink.write(_result(index))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
        assert sum(1 for _ in container.decode(video=0)) == 4


def test_first_codec_is_the_first_that_exists():
    assert encoder.first_codec("nosuch", "mpeg4", "png") == "mpeg4"
    assert encoder.first_codec("nosuch", "neither") == "neither"


def test_an_existing_file_is_replaced(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"x" * 100_000)
    with _open(tmp_path / "a.mp4") as sink:
        sink.write(_result())
    assert len(_decoded(tmp_path / "a.mp4")) == 1


def test_no_frame_at_all_is_no_error(tmp_path):
    with _open(tmp_path / "a.mp4"):
        pass


def test_another_size_is_refused(tmp_path):
    with (
        _open(tmp_path / "a.mp4") as sink,
        pytest.raises(SinkError, match="frame is 24x64, the video was begun with 48x64"),
    ):
        sink.write(_result(size=(24, 64)))


def test_bad_alpha_is_an_option_error(tmp_path):
    with pytest.raises(OptionError, match="alpha is 2"):
        _open(tmp_path / "a.mp4", alpha=2)


WRITER = """
    import sys, time
    import numpy as np
    from edge_arseg.spec.classes import CAMVID_11
    from edge_arseg.spec.frame import Branch, Frame
    from edge_arseg.spec.result import SegmentedFrame
    from edge_arseg.video.sinks import open_sink

    rng = np.random.default_rng(0)
    rgb, class_map = rng.integers(0, 256, (96, 128, 3), np.uint8), np.zeros((96, 128), np.uint8)
    try:
        with open_sink(sys.argv[1], size=(96, 128), rate=10.0, classes=CAMVID_11) as sink:
            for index in range(int(sys.argv[2])):
                frame = Frame(index, index / 10, np.roll(rgb, index, 0))
                sink.write(SegmentedFrame(frame, class_map, Branch.LR, 1, 1.0))
                if index >= 45 and sys.argv[3] == "slowly":
                    print(index, flush=True)
                    time.sleep(0.02)
                if sink.finished:
                    break
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        print(type(error).__name__, error, file=sys.stderr)
        sys.exit(error.exit_code)
"""


def _start(target, count="100000", pace="slowly", **keywords):
    command = [sys.executable, "-c", textwrap.dedent(WRITER), str(target), count, pace]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **keywords)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_an_interrupted_movie_can_be_played(tmp_path, suffix, number, status):
    path = tmp_path / f"a{suffix}"
    with _start(path) as process:
        process.stdout.readline()  # 46 frames are written
        process.send_signal(number)
        last = process.communicate(timeout=20)[0].split()
    assert process.returncode == status
    written = int(last[-1]) + 1 if last else 46
    frames = _decoded(path)
    if number == signal.SIGINT:
        assert len(frames) >= written
    else:
        assert len(frames) >= 40  # at most one second, 10 frames, is lost
    assert [round(frame.time * 10) for frame in frames] == list(range(len(frames)))


def test_a_full_disk_is_told_and_what_was_written_can_be_played(tmp_path):
    import resource

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    with _start(tmp_path / "a.mp4", "400", "fast", preexec_fn=small_files) as process:
        error = process.communicate(timeout=30)[1]
    assert process.returncode == 4
    assert error.startswith("SinkError cannot write")
    assert "may not grow further" in error
    assert "Traceback" not in error
    assert len(_decoded_while_it_lasts(tmp_path / "a.mp4")) >= 10


def _decoded_while_it_lasts(path):
    frames = []
    with av.open(str(path)) as container:
        try:
            for frame in container.decode(video=0):
                frames.append(frame)
        except av.error.InvalidDataError:
            return frames
    return frames


# --- index masks


def _png(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read an index PNG chunk by chunk, checksums and all."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, position = {}, 8
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind, content = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, position + 8 + length)
        assert checksum == zlib.crc32(kind + content)
        chunks[kind] = content
        position += 12 + length
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert rest == [8, 3, 0, 0, 0]
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    return lines[:, 1:], np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)


def test_masks_hold_the_class_indices(tmp_path):
    folder = tmp_path / "new" / "masks"
    with _open(f"masks://{folder}") as sink:
        for index in (0, 1, 123):
            sink.write(_result(index))
    assert sorted(path.name for path in folder.iterdir()) == ["000000.png", "000001.png", "000123.png"]
    indices, palette = _png(folder / "000123.png")
    np.testing.assert_array_equal(indices, _result(123).class_map)
    assert [tuple(row) for row in palette[:11].tolist()] == [info.color for info in CAMVID_11]
    assert not palette[11:].any()


def test_masks_are_read_by_pillow(tmp_path):
    image = pytest.importorskip("PIL.Image")
    with _open(f"masks://{tmp_path}") as sink:
        sink.write(_result(5, size=(31, 17)))  # any size
    with image.open(tmp_path / "000005.png") as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.array(picture), _result(5, size=(31, 17)).class_map)
        assert picture.convert("RGB").getpixel((0, 0)) in [info.color for info in CAMVID_11]


def test_a_mask_is_complete_or_missing(tmp_path, monkeypatch):
    with _open(f"masks://{tmp_path}") as sink:
        sink.write(_result(0))

        def full(path, data):
            with path.open("wb") as file:
                file.write(data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(SinkError, match="disk is full") as caught:
            sink.write(_result(1))
        assert caught.value.exit_code == 4
        with pytest.raises(SinkError, match="closed already"):
            sink.write(_result(2))
    assert [path.name for path in tmp_path.iterdir()] == ["000000.png"]


# --- JSON lines


def test_lines_tell_what_happened(tmp_path):
    path = tmp_path / "new" / "a.jsonl"
    with _open(f"jsonl://{path}") as sink:
        sink.write(_result(0))
        assert len(path.read_text().splitlines()) == 1  # at once, for who follows
        sink.write(_result(1))
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert {name: first[name] for name in list(first)[:7]} == {
        "index": 0,
        "time_s": 0.0,
        "branch": "hr",
        "distance": 0,
        "latency_ms": 4.568,
        "motion": None,
        "intra_ratio": None,
    }
    assert (second["branch"], second["distance"], second["motion"], second["intra_ratio"]) == ("lr", 1, "recode", 0.125)
    assert second["time_s"] == 0.066667
    counts = np.bincount(_result(1).class_map.ravel(), minlength=11)
    assert second["classes"] == {
        info.name: round(count / 3072, 5) for info, count in zip(CAMVID_11, counts.tolist(), strict=False)
    }


def test_pixels_of_no_class_are_in_no_share(tmp_path):
    result = _result(0)
    result.class_map[...] = 255
    with _open(f"jsonl://{tmp_path / 'a.jsonl'}") as sink:
        sink.write(result)
    assert sum(json.loads((tmp_path / "a.jsonl").read_text())["classes"].values()) == 0


def test_lines_go_to_the_standard_output(capsys):
    with _open("jsonl://-") as sink:
        sink.write(_result(7))
    assert json.loads(capsys.readouterr().out)["index"] == 7


def test_a_reader_that_goes_away_ends_it_quietly():
    with _start("jsonl://-", pace="fast") as process:
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
        assert process.wait(timeout=20) == 0
    assert error == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_lines():
    with pytest.raises(SinkError, match="disk is full"), _open("jsonl:///dev/full") as sink:
        sink.write(_result(0))


# --- nothing, and all of them


def test_null_takes_everything():
    with _open("null://") as sink:
        sink.write(_result(0))
        assert not sink.finished


@pytest.mark.parametrize("kind", ["a.mp4", "masks", "jsonl", "null"])
def test_every_sink_checks_the_class_map_and_closes_once(tmp_path, kind):
    uri = {"a.mp4": f"{tmp_path}/a.mp4", "null": "null://"}.get(kind, f"{kind}://{tmp_path}/x")
    sink = _open(uri)
    good = _result(0)
    sink.write(good)
    with pytest.raises(SinkError, match="int64 48x64, expected uint8 HxW"):
        sink.write(SegmentedFrame(good.frame, good.class_map.astype(np.int64), Branch.HR, 0, 1.0))
    sink.close()
    sink.close()
    with pytest.raises(SinkError, match="closed already"):
        sink.write(good)


def test_a_file_uri_is_a_path(tmp_path):
    with _open(f"file://{tmp_path}/a.mkv") as sink:
        sink.write(_result(0))
    assert len(_decoded(tmp_path / "a.mkv")) == 1


@pytest.mark.parametrize(
    ("uri", "seen"),
    [
        ("rtsp://host/x", "unknown scheme rtsp://"),
        ("out.avi", "the ending .avi names no sink"),
        ("out", "a name without an ending"),
        ("masks://", "no path"),
        ("jsonl://", "no path"),
        ("", "no path"),
    ],
)
def test_a_uri_that_names_no_sink(uri, seen):
    with pytest.raises(SinkError) as caught:
        _open(uri)
    assert seen in str(caught.value)
    assert "masks://DIR" in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["{}/file/a.mp4", "masks://{}/file/m", "masks://{}/file", "jsonl://{}/file/a", "jsonl://{}"]
)
def test_a_place_that_cannot_be(tmp_path, uri):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match=r"choose another path|add a file name"):
        _open(uri.format(tmp_path))


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
        _open(uri.format(tmp_path))
    assert isinstance(caught.value, OSError)
    assert uri.format(tmp_path) in str(caught.value)
