"""How a child process ended, in words."""

import signal
import subprocess
import sys

import pytest

from edge_arseg.ended import told_end


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("sys.exit(3)", "with exit code 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "by SIGKILL"),
        ("os.kill(os.getpid(), signal.SIGRTMIN + 3)", f"by signal {signal.SIGRTMIN + 3}"),
    ],
)
def test_a_child_that_ended(last, told):
    done = subprocess.run([sys.executable, "-c", f"import os, signal, sys; {last}"], timeout=60)
    assert told_end(done.returncode) == told


def test_a_child_that_runs():
    assert told_end(None) == "without an exit code"
