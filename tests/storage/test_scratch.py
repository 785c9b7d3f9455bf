"""Folders for the time of a block."""

import errno
import fcntl
import os
import tempfile
import time

import pytest

from edge_arseg.errors import SinkError
from edge_arseg.storage.scratch import scratch_folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_what_a_dead_process_left_goes_and_what_a_running_one_uses_stays(place):
    dead = place / "edge-arseg-toy-dead"
    (dead / "inside").mkdir(parents=True)
    other = place / "edge-arseg-another-dead"
    other.mkdir()
    with scratch_folder("toy") as running:
        for folder in (dead, other, running):
            os.utime(folder, (time.time() - 3600,) * 2)
        with scratch_folder("toy") as second:
            assert sorted(place.iterdir()) == sorted([other, running, second])
    assert list(place.iterdir()) == [other]


def test_without_locks_what_may_be_in_use_stays(place, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    today, forgotten = place / "edge-arseg-toy-today", place / "edge-arseg-toy-forgotten"
    for folder, hours in ((today, 20), (forgotten, 30)):
        folder.mkdir()
        os.utime(folder, (time.time() - 3600 * hours,) * 2)
    with scratch_folder("toy") as running:
        assert sorted(place.iterdir()) == sorted([today, running])


def test_no_place_is_refused_with_what_to_type(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(SinkError, match="export TMPDIR=FOLDER"), scratch_folder("toy"):
        pass
