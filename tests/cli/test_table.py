"""Tables in terminals of 80 and 60 columns, and in pipes."""

import os
import pty
import re
import sys

import pytest
from support.children import Child

from edge_arseg.cli.table import widths_of_columns


def in_terminal(columns, *arguments):
    """Run a command whose stdout is a terminal; return its lines without colours."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "edge_arseg", *arguments]
    with Child(command, stdout=follower, env=environment) as done:
        os.close(follower)
        seen = b""
        while True:
            try:
                block = os.read(leader, 1 << 16)
            except OSError:  # how Linux says that nobody writes any more
                break
            if not block:
                break
            seen += block
    os.close(leader)
    assert done.returncode == 0
    return [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in seen.decode().splitlines()]


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize(
    "arguments", [("targets", "list"), ("inspect", "camvid-compact-int8"), ("zoo", "list")], ids=" ".join
)
def test_a_table_fits_and_breaks_no_word(columns, arguments):
    lines = in_terminal(columns, *arguments)
    assert len(lines) > 2
    assert max(map(len, lines)) <= columns
    text = "\n".join(lines)
    whole = {"targets": ["jetson-agx-orin-32gb", "expected to work"], "inspect": ["fused_feature", "precision"]}
    for word in whole.get(arguments[0], ["camvid-compact-int8", "precisions"]):
        assert word in text


def test_in_a_pipe_every_row_is_one_line(edge_arseg):
    rows = edge_arseg("targets", "list").out.splitlines()
    assert len(rows) == 17
    assert "5.0.2, 5.1, 6.0, 6.1, 6.2, 7.2" in rows[2]


def test_columns_that_want_little_get_all_of_it():
    rows = [["a", "of all"], ["bb", "some words that go on and on"]]
    assert widths_of_columns(rows, 40) == [2, 28]
    assert widths_of_columns(rows, 20) == [2, 16]
    assert widths_of_columns(rows, 7) is None
