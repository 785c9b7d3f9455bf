"""Class ids as an archive of NumPy."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.children import Child
from support.clips.results import SIZE, opened, result_at, start_writer

from edge_arseg.errors import SinkError
from edge_arseg.video.sinks import plan_sinks

TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize("form", ["{}/a.npz", "npz://{}/a.NPZ", "file://{}/a.npz"])
def test_an_archive_holds_ids_times_and_names(tmp_path, form):
    with opened(form.format(tmp_path)) as sink:
        for index in (0, 1, 5, 13):
            sink.write(result_at(index, time_s=index / 10))
        assert list(tmp_path.iterdir()) == []  # whole or not at all
    (path,) = tmp_path.iterdir()
    with np.load(path) as held:
        assert sorted(held) == ["branch", "class_ids", "class_names", "index", "time_s"]
        assert (held["class_ids"].dtype, held["class_ids"].shape) == (np.uint8, (4, *SIZE))
        for found, index in zip(held["class_ids"], (0, 1, 5, 13), strict=True):
            assert np.array_equal(found, result_at(index).class_map)
        assert held["index"].tolist() == [0, 1, 5, 13]
        assert held["time_s"].tolist() == [0.0, 0.1, 0.5, 1.3]
        assert held["branch"].tolist() == ["hr", "lr", "lr", "lr"]
        assert held["class_names"][0] == "sky"


def test_what_is_there_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"mine")
    with pytest.raises(SinkError, match="exists already; type --force"):
        plan_sinks([str(path)])
    with opened(path, force=True):
        pass  # not one frame came
    assert path.read_bytes() == b"mine"
    with opened(path, force=True) as sink:
        sink.write(result_at(0))
        assert path.read_bytes() == b"mine"
    assert np.load(path)["index"].tolist() == [0]
    assert [one.name for one in tmp_path.iterdir()] == ["a.npz"]


def test_a_source_that_changes_its_size_keeps_the_frames_before(tmp_path):
    path = tmp_path / "a.npz"
    sink = opened(path)
    sink.write(result_at(0))
    with pytest.raises(SinkError, match=r"changed to 6x8 in frame 1, .* the frames before it are kept; type --out"):
        sink.write(result_at(1, size=(6, 8)))
    sink.close()
    assert np.load(path)["class_ids"].shape == (1, *SIZE)


def test_a_disk_that_is_full_leaves_nothing_and_loses_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    path.write_bytes(b"mine")
    sink = opened(path, force=True)
    sink.write(result_at(0))
    monkeypatch.setattr("shutil.copyfileobj", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(SinkError, match="the disk is full"):
        sink.close()
    assert path.read_bytes() == b"mine"
    assert [one.name for one in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize(("end", "left"), [("kill", []), ("send_signal", ["a.npz"])])
def test_a_kill_leaves_nothing_and_an_interrupt_a_whole_file(tmp_path, end, left):
    with start_writer(tmp_path / "a.npz") as writer:
        last = [writer.stdout.readline() for _ in range(3)][-1]
        getattr(writer, end)(*([2] if end == "send_signal" else []))
        writer.wait(20)
    assert [one.name for one in tmp_path.iterdir()] == left
    if left:
        assert len(np.load(tmp_path / "a.npz")["class_ids"]) > int(last)


def test_a_window_is_refused_with_what_to_type(tmp_path):
    with pytest.raises(SinkError, match=r"opens no window; .*: mkfifo live.mkv; ffplay live.mkv & edge-arseg run SOU"):
        plan_sinks(["display://0"])


@pytest.mark.parametrize("there", [False, True])
def test_what_another_process_will_write_is_refused_until_that_ends(tmp_path, there):
    """It has no name yet that could be locked; and where it is killed, nothing keeps the name."""
    path = tmp_path / "a.npz"
    if there:
        path.write_bytes(b"mine")
    writer = "from support.clips.results import opened; sink = opened({!r}, force=True); print(1, flush=True); input()"
    command = [sys.executable, "-c", writer.format(str(path))]
    with Child(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=TESTS) as process:
        process.stdout.readline()
        with pytest.raises(SinkError, match="a running process writes to it; choose another name"):
            plan_sinks([str(path)], force=True)
        with pytest.raises(SinkError, match="a running process writes to it; choose another name"):
            opened(path, force=True)
        assert plan_sinks([str(tmp_path / "b.npz")])
        process.kill()
    with opened(path, force=True) as sink:
        sink.write(result_at(0))
    assert np.load(path)["index"].tolist() == [0]
