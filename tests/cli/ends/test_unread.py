"""Messages into a pipe that nobody reads."""

import fcntl
import io
import os
import subprocess
import sys

import pytest
from support.children import Child

from edge_arseg.cli.ends import unread
from edge_arseg.cli.ends.unread import Messages

SIZE = 16384
IN_A_HURRY = (
    "from edge_arseg.cli.ends import unread; unread._WAIT_S = 0.05; from edge_arseg.__main__ import main; main()"
)


@pytest.fixture
def pipe():
    """Reading and writing end of a pipe that holds four pages."""
    ends = os.pipe()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, SIZE)
    yield ends
    for end in ends:
        os.close(end)


def test_a_full_pipe_holds_up_nothing_and_says_what_is_missing(pipe, monkeypatch):
    monkeypatch.setattr(unread, "_WAIT_S", 0.05)
    messages = io.TextIOWrapper(io.BufferedWriter(Messages(pipe[1])), line_buffering=True)
    for n in range(400):
        print(f"{n:99}", file=messages)
    first = os.read(pipe[0], SIZE).decode()
    assert first.splitlines()[0].strip() == "0"
    print("there is room again", file=messages)
    *_, told, last = os.read(pipe[0], SIZE).decode().splitlines()
    assert (told, last) == (
        f"warning: {400 - len(first) // 100} messages left out: nobody read them",
        "there is room again",
    )


def test_a_reader_who_is_slow_gets_all(pipe):
    messages = Messages(pipe[1])
    code = "import sys, time; time.sleep(0.5); print(len(sys.stdin.buffer.read(20000)))"
    with Child([sys.executable, "-c", code], stdin=pipe[0], stdout=subprocess.PIPE) as reader:
        assert messages.write(b"x" * 20000) == 20000
        assert reader.communicate()[0].strip() == b"20000"


def test_a_command_whose_messages_nobody_reads_comes_to_its_end(pipe):
    os.set_blocking(pipe[1], False)
    while True:
        try:
            os.write(pipe[1], b"x" * 64)
        except BlockingIOError:
            break
    os.set_blocking(pipe[1], True)
    with Child([sys.executable, "-c", IN_A_HURRY, "run", "gone.mp4", "null://"], stderr=pipe[1]) as command:
        pass
    assert command.returncode == 4
