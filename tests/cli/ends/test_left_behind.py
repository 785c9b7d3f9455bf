"""A process whose threads are left behind is not taken down around them."""

import subprocess
import sys

import pytest

LEAVING = """
import atexit, os, sys, threading

class Late:
    def __del__(self):
        os.write(1, b"taken down\\n")

late = Late()
atexit.register(os.write, 1, b"at exit\\n")
stays = threading.Event()
if {stays}:
    threading.Thread(target=stays.wait, daemon=True).start()
if {runs}:
    from edge_arseg.runtime.engines.interpreter_lock import keep_it_moving
    keep_it_moving()
sys.argv = ["edge-arseg", {argument!r}]
from edge_arseg.cli.main import main
main()
"""


def ended(argument, *, stays=False, runs=False):
    command = [sys.executable, "-c", LEAVING.format(stays=stays, runs=runs, argument=argument)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_thread_that_every_run_has_is_none_that_is_left_behind():
    answer = ended("--version", runs=True)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.endswith("at exit\ntaken down\n")


@pytest.mark.parametrize(("argument", "code"), [("--version", 0), ("--nonsense", 2)])
def test_a_thread_that_stays_is_left_in_peace(argument, code):
    usual, left = ended(argument), ended(argument, stays=True)
    assert (usual.returncode, left.returncode) == (code, code)
    assert usual.stdout.endswith("at exit\ntaken down\n")
    assert left.stdout == usual.stdout.removesuffix("taken down\n")
    assert left.stderr == usual.stderr
