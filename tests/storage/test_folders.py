"""Folders that will be written into."""

import shutil
from collections import namedtuple

import pytest

from edge_arseg.errors import SinkError
from edge_arseg.storage.folders import check_room
from edge_arseg.storage.scratch import check_scratch_room

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def free(monkeypatch):
    """Sets the bytes that every disk has free."""

    def begin(count):
        monkeypatch.setattr(shutil, "disk_usage", lambda place: Usage(count, 0, count))

    return begin


def test_a_disk_without_room_is_refused_with_both_sizes(free, tmp_path):
    free(1_000_000)
    check_room(tmp_path / "not/yet/there", 1_000_000)
    with pytest.raises(SinkError, match=r"there: the disk is full \(1\.0 MB free, 1\.1 MB needed\): free .* with -o"):
        check_room(tmp_path / "not/yet/there", 1_100_000, option="-o")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SinkError, match=r"another place with export TMPDIR=FOLDER"):
        check_scratch_room(1_100_000)


def test_a_disk_that_cannot_be_asked_is_tried(monkeypatch, tmp_path):
    def unable(place):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(shutil, "disk_usage", unable)
    check_room(tmp_path, 10**15)
