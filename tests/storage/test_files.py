"""Which file is which, and who writes to it."""

import os
import signal
import subprocess
import sys

import pytest
from support.children import Child

from edge_arseg.errors import SinkError
from edge_arseg.storage.files import check_output, descriptor_of, identity, is_locked, is_special, lock_on, write_whole


def test_one_file_by_any_spelling(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a.mp4"
    file.write_bytes(b"x")
    (tmp_path / "link.mp4").symlink_to("a.mp4")
    os.link(file, tmp_path / "hard.mp4")
    (tmp_path / "sub").mkdir()
    (tmp_path / "way").symlink_to("sub")
    for spelling in ("a.mp4", "./a.mp4", "sub/../a.mp4", "way/../a.mp4", "link.mp4", "hard.mp4"):
        assert identity(spelling) == identity(file), spelling
    assert identity("sub/new.mp4") == identity("way/new.mp4") == identity(tmp_path / "sub/./new.mp4")
    assert len({identity(name) for name in ("a.mp4", "b.mp4", "sub/b.mp4", "sub", ".")}) == 5


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/dev/stdout", 1),
        ("/dev//stdout", 1),
        ("/dev/fd/63", 63),
        ("/proc/self/fd/2", 2),
        ("/dev/null", None),
        ("1", None),
    ],
)
def test_names_of_open_files(path, number):
    assert descriptor_of(path) == number


def test_an_output_is_neither_an_input_nor_in_a_bundle_nor_there(tmp_path):
    bundle, file = tmp_path / "a.arseg", tmp_path / "a.json"
    bundle.mkdir()
    file.write_text("{}")
    for path in (bundle, bundle / "new.json", bundle / "deep/new.json"):
        with pytest.raises(SinkError, match=r"a\.arseg, which is read; choose another name"):
            check_output(path, force=True, inputs=[bundle])
    with pytest.raises(SinkError, match=r"a\.json, which is read"):
        check_output(file, force=True, inputs=[file])
    with pytest.raises(SinkError, match=r"a\.json: it exists already; type --force to replace it"):
        check_output(file, force=False)
    check_output(file, force=True, inputs=[bundle])
    check_output(tmp_path / "b.json", force=False, inputs=[bundle, file])


def test_devices_and_pipes_take_everything(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path.__class__("/dev/null")):
        assert is_special(path)
        assert not is_locked(path)
        check_output(path, force=False)
    write_whole(tmp_path.__class__("/dev/null"), b"x")


def test_a_whole_file_replaces_what_a_link_leads_to(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_whole(tmp_path / "link", b"new")
    assert ((tmp_path / "real").read_text(), (tmp_path / "link").is_symlink()) == ("new", True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


HOLDER = """
import sys, time
from pathlib import Path
from edge_arseg.storage.files import lock_on
lock = lock_on(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_lock_ends_with_its_process_however_that_ends(tmp_path, kind):
    path = tmp_path / "a"
    path.mkdir() if kind == "folder" else path.write_text("x")
    with Child([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        assert is_locked(path)
        assert lock_on(path) is None
        holder.send_signal(signal.SIGKILL)
    lock = lock_on(path)
    assert lock is not None
    assert is_locked(path)  # another opening of it in this process counts as another writer
    lock.release()
    assert not is_locked(path)
