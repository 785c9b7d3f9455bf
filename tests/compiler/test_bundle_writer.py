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
from support.bundles.written import names_in
from support.bundles.written import write_small_bundle as write
from support.children import Child

from edge_arseg.compiler import writing as bundle_writer
from edge_arseg.compiler.writing import NewBundle
from edge_arseg.errors import BundleError, ExportError, OptionError, SinkError
from edge_arseg.runtime.bundles.reading import read_bundle
from edge_arseg.storage.files.lock import lock_on

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


def killed_writer(path, moment):
    """Run a writer in a second process and kill it at a moment."""
    command = [sys.executable, "-c", WRITER, Path(__file__).parents[1], path, moment]
    with Child(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "stopped\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    return process.pid


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.arseg"


def test_a_bundle_is_read_back_as_it_was_written(path):
    bundle = write(path, "first")
    assert bundle.manifest == replace(small_manifest(), name="first")
    assert read_bundle(path) == bundle
    assert names_in(path.parent) == ["some.arseg"]
    assert path.stat().st_mode & 0o777 == 0o755
    for name, content in small_contents().items():
        assert (path / name).read_bytes() == content


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
