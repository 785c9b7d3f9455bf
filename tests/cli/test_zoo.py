"""Bundles in the package, by their names."""

import json

import pytest

from edge_arseg import Segmenter
from edge_arseg.errors import BundleError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.runtime.bundles.zoo import ZOO, bundle_path, shipped_names


def test_a_shipped_bundle_is_named_with_and_without_its_size():
    assert shipped_names()["camvid-compact"] == shipped_names()["camvid-compact-360x480"]
    assert bundle_path("camvid-compact-int8") == ZOO / "camvid-compact-360x480-int8.arseg"


def test_where_two_sizes_share_a_name_only_the_long_names_count(tmp_path):
    for name in ("a-10x20", "a-30x40", "b-10x20-int8"):
        (tmp_path / f"{name}.arseg").mkdir()
    assert set(shipped_names(tmp_path)) == {"a-10x20", "a-30x40", "b-10x20-int8", "b-int8"}


def test_a_path_wins_over_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "camvid-compact").mkdir()
    assert str(bundle_path("camvid-compact")) == "camvid-compact"
    with pytest.raises(BundleError, match=r"no manifest\.json inside"):
        read_bundle(bundle_path("camvid-compact"))


def test_a_name_that_is_none_says_which_there_are():
    with pytest.raises(BundleError, match=r"did you mean camvid-compact.*or a bundle in the package"):
        bundle_path("camvid_compact")


def test_list_and_path_name_what_is_there(edge_arseg):
    listed = json.loads(edge_arseg("zoo", "list", "--json").out)["bundles"]
    assert {"camvid-compact", "camvid-compact-int8"} <= {bundle["name"] for bundle in listed}
    for bundle in listed:
        assert edge_arseg("zoo", "path", bundle["name"]).out == f"{bundle['path']}\n"


def test_the_list_says_what_runs_without_a_name(edge_arseg):
    out = edge_arseg("zoo", "list").out
    assert "without -b: camvid-compact-int8 or camvid-compact\n" in out
    assert [line.split()[-3] for line in out.splitlines() if line.startswith("camvid-")] == ["0.61", "0.61", "0.83"]


def test_a_copy_is_the_same_bundle_and_replaces_nothing(edge_arseg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert edge_arseg("zoo", "copy", "camvid-compact-int8").out == "camvid-compact-int8.arseg\n"
    assert read_bundle("camvid-compact-int8.arseg").digest == read_bundle(bundle_path("camvid-compact-int8")).digest
    answer = edge_arseg("zoo", "copy", "camvid-compact-int8")
    assert (answer.code, "--force" in answer.err) == (2, True)
    assert edge_arseg("zoo", "copy", "camvid-compact-int8", "--force").code == 0
    (tmp_path / "mine").write_text("kept")
    (tmp_path / "notes.arseg").mkdir()
    assert edge_arseg("zoo", "copy", "camvid-compact-int8", "-o", "notes.arseg", "--force").code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["camvid-compact-int8.arseg", "mine", "notes.arseg"]


def test_a_copy_that_fails_leaves_nothing(edge_arseg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge_arseg.compiler.writing._write", full)
    answer = edge_arseg("zoo", "copy", "camvid-compact-int8")
    assert (answer.code, "the disk is full" in answer.err) == (4, True)
    assert list(tmp_path.iterdir()) == []


def test_a_segmenter_takes_a_name():
    with Segmenter("camvid-compact-int8", backend="fake") as segmenter:
        assert segmenter.bundle.path == ZOO / "camvid-compact-360x480-int8.arseg"
