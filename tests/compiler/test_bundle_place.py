"""The place of a bundle: its name, its folder, and what is there already."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from support.bundles.small import small_contents, small_manifest
from support.bundles.written import names_in
from support.bundles.written import write_small_bundle as write

from edge_arseg.compiler.writing import NewBundle
from edge_arseg.errors import ExportError, OptionError, SinkError
from edge_arseg.runtime.bundles.reading import read_bundle


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.arseg"


def test_folders_above_are_made(tmp_path):
    assert write(tmp_path / "a" / "b" / "some.arseg", "deep").manifest.name == "deep"


@pytest.mark.parametrize(("mask", "mode"), [(0o002, 0o775), (0o027, 0o750), (0o077, 0o700)])
def test_the_folder_has_the_permissions_that_the_user_gives_to_new_ones(path, mask, mode):
    """In a folder that a group shares, others of the group build engines in the bundle; elsewhere nobody else reads."""
    before = os.umask(mask)
    try:
        for name in ("first", "second"):
            write(path, name, force=True)
            assert path.stat().st_mode & 0o777 == mode
            assert (path / "onnx").stat().st_mode & 0o777 == mode
    finally:
        os.umask(before)


def test_a_bundle_that_cannot_be_moved_aside_is_refused_before_the_work(path, monkeypatch):
    """A folder that may not be written cannot be renamed; the folder around it may be written all the same."""
    write(path, "old")
    real = os.access
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != path and real(place, mode))
    with pytest.raises(SinkError, match=r"some\.arseg: cannot be written \(no permission\); .* name one with -o"):
        NewBundle(path, force=True)


@pytest.mark.parametrize("same", [True, False])
def test_engines_stay_with_the_graphs_that_they_were_built_of(path, same):
    write(path, "old")
    (path / "engines/key").mkdir(parents=True)
    (path / "engines/key/hr.plan").write_text("hours of work")
    contents = small_contents() if same else {**small_contents(), "onnx/hr.onnx": b"another graph"}
    NewBundle(path, force=True).write(replace(small_manifest(contents), name="new"), contents)
    assert (path / "engines/key/hr.plan").exists() is same
    assert names_in(path.parent) == ["some.arseg"]


def test_a_bundle_is_replaced_only_by_force(path):
    write(path, "old")
    with pytest.raises(OptionError, match="exists already; type --force"):
        write(path, "new")
    assert read_bundle(path).manifest.name == "old"
    assert write(path, "new", force=True).manifest.name == "new"


@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_bundle_is_never_replaced(path, force):
    path.mkdir()
    (path / "thesis.txt").write_text("three years of work")
    with pytest.raises(OptionError, match="is no bundle" if force else "exists already"):
        write(path, "new", force=force)
    assert names_in(path) == ["thesis.txt"]


@pytest.mark.parametrize("force", [False, True])
def test_a_file_is_never_replaced(path, force):
    path.write_text("three years of work")
    with pytest.raises(OptionError):
        write(path, "new", force=force)
    assert path.read_text() == "three years of work"


@pytest.mark.parametrize("name", ["some", "some.onnx", "some.arseg.zip"])
def test_a_name_without_the_suffix_is_refused_with_one_that_has_it(tmp_path, name):
    with pytest.raises(OptionError, match=r"ends in \.arseg; try -o .*some.*\.arseg"):
        NewBundle(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (".some.arseg", "no . in front"),
        ("a\nb.arseg", "expected a plain name"),
        ("a\\b.arseg", "expected a plain name"),
        ("\udcff.arseg", "expected a plain name"),
        (" .arseg", "expected a plain name"),
        (".arseg", "try -o .*NAME.arseg"),
        ("ä" * 100 + ".arseg", "longer than 200 bytes"),
    ],
)
def test_a_name_that_no_manifest_may_have_is_refused_before_the_work(tmp_path, name, fault):
    with pytest.raises(OptionError, match=fault):
        NewBundle(tmp_path / name)


def test_a_file_in_the_place_of_the_folder_above(tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(SinkError, match="cannot be written"):
        write(tmp_path / "file" / "some.arseg", "new")
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.parametrize("name", ["", ".", "..", "/", "there"])
def test_a_folder_is_no_name_of_a_bundle(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    with pytest.raises(OptionError, match=r"a bundle's name ends in \.arseg; try -o .*NAME\.arseg"):
        NewBundle(name)


def test_folders_that_were_made_are_removed_again_where_nothing_is_written(tmp_path):
    def check(bundle):
        raise ExportError("differs")

    with pytest.raises(ExportError):
        write(tmp_path / "a" / "b" / "some.arseg", "new", check=check)
    assert names_in(tmp_path) == []


def test_a_link_is_followed_and_stays(path):
    path.symlink_to("real.arseg")
    assert write(path, "first").manifest.name == "first"
    with pytest.raises(OptionError, match="exists already"):
        write(path, "second")
    assert write(path, "second", force=True).manifest.name == "second"
    assert path.is_symlink()
    assert names_in(path.parent) == ["real.arseg", "some.arseg"]


def test_what_is_no_part_of_a_bundle_is_not_lost_with_it(path):
    old = write(path, "old")
    (path / "engines").mkdir()
    (path / ".DS_Store").write_bytes(b"")
    (path / "notes.txt").write_text("mine")
    with pytest.raises(OptionError, match=r"notes\.txt inside is no part of a bundle and would be lost"):
        write(path, "new", force=True)
    assert read_bundle(path) == old
    (path / "notes.txt").unlink()
    (path / "manifest.json").write_text("{")  # a damaged one is replaced
    assert write(path, "new", force=True).manifest.name == "new"


def test_a_bundle_that_came_there_meanwhile_is_not_replaced(path):
    def check(bundle):
        if bundle.manifest.name == "slow":
            write(path, "fast")

    with pytest.raises(OptionError, match="exists already"):
        write(path, "slow", check=check)
    assert read_bundle(path).manifest.name == "fast"
    assert names_in(path.parent) == ["some.arseg"]
