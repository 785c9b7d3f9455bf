"""What stands still, a test or a process that it started, fails with what it was doing, and is gone."""

import signal
import subprocess
import sys

import pytest
from support.children import Child

STANDS_STILL = """
import sys, threading

def stands_still():
    print("a word", file=sys.stderr, flush=True)
    print("here", flush=True)
    threading.Event().wait(600)

stands_still()
"""


def start(**options):
    return Child([sys.executable, "-c", STANDS_STILL], stdout=subprocess.PIPE, text=True, **options)


@pytest.mark.parametrize("stderr", [None, subprocess.PIPE])
def test_one_that_reaches_its_limit_says_where_it_stands(stderr):
    child = start(limit_s=60, stderr=stderr)
    child.stdout.readline()
    child.end_late()  # as its timer does
    with pytest.raises(AssertionError, match="still running after 60 s: ") as caught, child:
        assert child.stdout.read() == ""
    assert child.returncode == -6
    assert "a word" in str(caught.value)
    assert "in stands_still" in str(caught.value)


def test_a_limit_that_is_over_ends_it():
    with pytest.raises(AssertionError, match=r"still running after 0\.1 s"), start(limit_s=0.1) as child:
        child.wait()
    assert child.returncode == -6


def test_where_the_test_fails_it_is_ended_and_what_it_said_is_shown(capsys):
    child = start()
    child.stdout.readline()
    with pytest.raises(ZeroDivisionError), child:
        raise ZeroDivisionError
    assert child.returncode == -6
    assert "in stands_still" in capsys.readouterr().out


def test_one_that_ends_in_time_is_not_spoken_of(capsys):
    with Child([sys.executable, "-c", "import sys; print('x', file=sys.stderr); sys.exit(3)"]) as child:
        assert child.wait() == 3
    assert capsys.readouterr().out == ""


def test_a_test_that_hangs_fails():
    with pytest.raises(AssertionError, match=r"still running after \d+ minutes"):
        alarms(10)  # one a minute


def alarms(count):
    for _ in range(count):
        signal.raise_signal(signal.SIGALRM)
