"""A bundle is written whole or not at all, whatever happens on the way."""

import errno
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from support.bundles.small import small_contents, small_manifest

from edge_arseg.compiler import writing as bundle_writer
from edge_arseg.compiler.writing import NewBundle
from edge_arseg.errors import BundleError, ExportError, OptionError, SinkError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.storage.files import lock_on

WRITER = """
import os, pathlib, sys, time
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
from support.bundles.small import small_contents, small_manifest
from edge_arseg.compiler import writing as bundle_writer

path, moment = sys.argv[2:]

def stop(*_):
    print("stopped", flush=True)
    time.sleep(600)

def counted(function, number):
    calls = 0
    def call(*arguments):
        nonlocal calls
        calls += 1
        return stop() if calls == number else function(*arguments)
    return call

def nothing(bundle):
    pass

if moment.startswith("file"):
    os.fsync = counted(os.fsync, int(moment.removeprefix("file ")))
if moment == "between renames":
    pathlib.Path.rename = counted(pathlib.Path.rename, 2)
check = stop if moment == "check" else nothing
manifest = replace(small_manifest(), name="killed")
bundle_writer.NewBundle(path, force=True).write(manifest, small_contents(), check=check)
"""


def write(path, name, *, force=False, **options):
    return NewBundle(path, force=force).write(replace(small_manifest(), name=name), small_contents(), **options)


def killed_writer(path, moment):
    """Run a writer in a second process and kill it at a moment."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(Path(__file__).parents[1]), str(path), moment],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "stopped\n"
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    return process.pid


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.arseg"


def names_in(folder):
    return sorted(child.name for child in folder.iterdir())


def test_a_bundle_is_read_back_as_it_was_written(path):
    bundle = write(path, "first")
    assert bundle.manifest == replace(small_manifest(), name="first")
    assert read_bundle(path) == bundle
    assert names_in(path.parent) == ["some.arseg"]
    assert path.stat().st_mode & 0o777 == 0o755
    for name, content in small_contents().items():
        assert (path / name).read_bytes() == content


def test_folders_above_are_made(tmp_path):
    assert write(tmp_path / "a" / "b" / "some.arseg", "deep").manifest.name == "deep"


@pytest.mark.parametrize("moment", ["file 1", "file 3", "check"])
def test_a_writer_killed_on_the_way_leaves_no_bundle(path, moment):
    killed_writer(path, moment)
    assert not path.exists()
    assert len(names_in(path.parent)) == 1  # what it left is hidden, and goes with the next writer
    assert names_in(path.parent)[0].startswith(".some.arseg.part-")
    write(path, "next")
    assert names_in(path.parent) == ["some.arseg"]


@pytest.mark.parametrize("moment", ["file 1", "file 3", "check"])
def test_a_writer_killed_on_the_way_leaves_the_old_bundle(path, moment):
    old = write(path, "old")
    killed_writer(path, moment)
    assert read_bundle(path) == old
    assert write(path, "next", force=True).manifest.name == "next"
    assert names_in(path.parent) == ["some.arseg"]


def test_a_writer_killed_between_its_two_renames_loses_nothing(path):
    write(path, "old")
    killed_writer(path, "between renames")
    with pytest.raises(OptionError, match="exists already"):
        write(path, "next")
    assert read_bundle(path).manifest.name == "old"
    assert write(path, "next", force=True).manifest.name == "next"
    assert names_in(path.parent) == ["some.arseg"]


def test_the_folder_of_a_running_writer_is_left_alone(path):
    running = path.parent / f".some.arseg.part-{os.getppid()}-abc"
    other = path.parent / ".other.arseg.part-1-abc"
    running.mkdir()
    other.mkdir()
    write(path, "first")
    assert names_in(path.parent) == sorted([running.name, other.name, "some.arseg"])


def test_what_a_killed_writer_of_the_same_number_left_is_removed(path):
    """In a container every writer may be process 1."""
    left = path.parent / f".some.arseg.old-{os.getpid()}-abc"
    write(path, "old")
    (left / "some.arseg").parent.mkdir()
    path.rename(left / "some.arseg")
    assert write_refused(path) == "old"
    write(path, "next", force=True)
    assert names_in(path.parent) == ["some.arseg"]


def write_refused(path):
    with pytest.raises(OptionError, match="exists already"):
        write(path, "next")
    return read_bundle(path).manifest.name


def test_the_folder_of_a_writer_of_the_same_number_that_runs_is_left_alone(path):
    running = path.parent / f".some.arseg.part-{os.getpid()}-abc"
    running.mkdir()
    lock = lock_on(running)
    write(path, "first")
    assert names_in(path.parent) == sorted([running.name, "some.arseg"])
    lock.release()


def test_what_a_check_raises_is_raised_and_nothing_is_kept(path):
    seen = []

    def check(bundle):
        seen.append(bundle)
        assert read_bundle(bundle.path).manifest.name == "new"
        raise ExportError("differs from torch")

    with pytest.raises(ExportError, match="differs from torch"):
        write(path, "new", check=check)
    assert len(seen) == 1
    assert names_in(path.parent) == []


def test_a_failing_check_leaves_the_old_bundle(path):
    old = write(path, "old")

    def check(bundle):
        raise ExportError("differs from torch")

    with pytest.raises(ExportError):
        write(path, "new", force=True, check=check)
    assert read_bundle(path) == old
    assert names_in(path.parent) == ["some.arseg"]


@pytest.mark.parametrize("before", [None, "old"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (errno.ENOSPC, r"the disk is full \(.* free, .* needed\): free some space, or write to another place with -o"),
        (errno.EDQUOT, r"the disk quota is used up \(.* free, .* needed\): free some space"),
        (errno.EIO, "Input/output error: check that the place exists"),
    ],
)
def test_a_full_disk_keeps_what_was_there(path, monkeypatch, before, fault, said):
    if before:
        write(path, before)

    def full(descriptor):
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(bundle_writer.os, "fsync", full)
    with pytest.raises(SinkError, match=rf"cannot write .*some\.arseg: {said}"):
        write(path, "new", force=True)
    assert names_in(path.parent) == (["some.arseg"] if before else [])
    if before:
        assert read_bundle(path).manifest.name == before


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


def test_a_rename_that_fails_puts_the_old_bundle_back(path, monkeypatch):
    old = write(path, "old")
    rename = Path.rename

    def refuse(self, target):
        if Path(target) == path and ".part-" in self.name:
            raise PermissionError(errno.EACCES, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(SinkError, match="permission denied: write to another place with -o"):
        write(path, "new", force=True)
    assert read_bundle(path) == old
    assert names_in(path.parent) == ["some.arseg"]


def test_an_interrupt_between_the_renames_loses_neither_bundle(path, monkeypatch):
    old = write(path, "old")
    real = Path.rename
    calls = []

    def renamed(self, target):
        calls.append(target)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "rename", renamed)
    with pytest.raises(KeyboardInterrupt):
        write(path, "next", force=True)
    assert len(calls) == 3
    assert read_bundle(path) == old
    assert names_in(path.parent) == ["some.arseg"]


def test_a_signal_between_the_renames_comes_after_them(path, monkeypatch):
    write(path, "old")
    real = Path.rename
    calls = []

    def renamed(self, target):
        calls.append(target)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return real(self, target)

    monkeypatch.setattr(Path, "rename", renamed)
    with pytest.raises(KeyboardInterrupt):
        write(path, "next", force=True)
    assert read_bundle(path).manifest.name == "next"
    assert names_in(path.parent) == ["some.arseg"]


def test_an_old_bundle_that_cannot_be_put_back_is_kept(path, monkeypatch):
    """Another process has put something in its place meanwhile and removes it again."""
    write(path, "old")
    real = Path.rename
    calls = []

    def renamed(self, target):
        calls.append(target)
        if len(calls) > 1:
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", renamed)
    with pytest.raises(SinkError):
        write(path, "next", force=True)
    monkeypatch.undo()
    assert write_refused(path) == "old"


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


def test_contents_that_contradict_the_manifest_are_not_kept(path):
    contents = small_contents()
    del contents["onnx/hr.onnx"]
    with pytest.raises(BundleError, match=r"onnx/hr\.onnx"):
        NewBundle(path).write(small_manifest(), contents)
    assert names_in(path.parent) == []


def test_the_manifest_has_digest_and_length_of_every_file(path):
    written = NewBundle(path).write(replace(small_manifest(), files={}), {**small_contents(), "a": b"abc"})
    assert set(written.manifest.files) == {*small_contents(), "a"}
    entry = written.manifest.files["a"]
    assert entry.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert entry.bytes == 3


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
