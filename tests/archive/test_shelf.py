"""What a power cut leaves of results that have their names."""

import os

import pytest

from edge_arseg.archive.shelf import FolderShelf


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_the_disk_has_a_result_before_it_gets_its_name(tmp_path, monkeypatch, kind):
    """A rename can reach the disk before what is in the file: after a power cut a file of no bytes had the name."""
    made, place = tmp_path / ".part/a.jsonl", tmp_path / "a.jsonl"
    inside = made if kind == "file" else made / "000000.png"
    inside.parent.mkdir(parents=True)
    inside.write_bytes(b"whole")
    asked = []

    def waited(*_):
        asked.append(place.exists())

    monkeypatch.setattr(os, "fsync", waited)
    monkeypatch.setattr(os, "sync", waited)
    FolderShelf(tmp_path).put(made, "a.jsonl")
    assert asked == [False]
    assert (place if kind == "file" else place / "000000.png").read_bytes() == b"whole"


def test_a_record_waits_for_the_disk_too(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "fsync", asked.append)
    FolderShelf(tmp_path).write("records/a.json", b"{}")
    assert len(asked) == 1
    assert (tmp_path / "records/a.json").read_bytes() == b"{}"
