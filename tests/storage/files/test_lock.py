"""Who writes to a file now."""

import signal
import subprocess
import sys

import pytest
from support.children import Child

from edge_arseg.storage.files.lock import is_locked, lock_on

HOLDER = """
import sys, time
from pathlib import Path
from edge_arseg.storage.files.lock import lock_on
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
