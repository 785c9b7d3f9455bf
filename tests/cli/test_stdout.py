"""A standard output that is full, closed, or read no longer."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.bundles.fake import FAKE, HEIGHT, WIDTH
from support.children import Child, finished
from support.clips.moving import encode, moving

from edge_arseg.cli.main import COMMANDS

LINES = ["run", "CLIP", "jsonl://-"]
IDS = ["run", "CLIP", "raw://-"]
FULL = pytest.param(">/dev/full", marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full"))


@pytest.fixture(scope="module")
def typed(fake_bundle, tmp_path_factory):
    """Run a command with its output redirected; ``CLIP`` has three frames."""
    clip = encode(tmp_path_factory.mktemp("clip") / "a.mp4", moving(3, height=HEIGHT, width=WIDTH))

    def call(arguments, redirection):
        command = [sys.executable, "-m", "edge_arseg", *(clip if word == "CLIP" else word for word in arguments)]
        command += ["-b", fake_bundle, *FAKE] if arguments[0] == "run" else []
        return finished(["sh", "-c", f'"$@" {redirection}', "sh", *command])

    return call


@pytest.mark.parametrize("redirection", [FULL, ">&-"])
@pytest.mark.parametrize("arguments", [LINES, IDS, ["targets", "list"]], ids=lambda arguments: arguments[-1])
def test_results_that_cannot_be_written_end_with_4(typed, arguments, redirection):
    answer = typed(arguments, redirection)
    assert answer.returncode == 4, answer.stderr
    assert answer.stderr.splitlines()[-1].startswith("error: cannot write ")
    assert "Traceback" not in answer.stderr
    assert "Exception" not in answer.stderr


@pytest.mark.slow
def test_a_closed_output_that_nothing_goes_to_does_not_matter(typed, tmp_path):
    answer = typed(["run", "CLIP", f"jsonl://{tmp_path}/o"], ">&-")
    assert answer.returncode == 0, answer.stderr
    assert len((tmp_path / "o").read_text().splitlines()) == 3


SHOWN = [["--help"], ["--version"], ["targets", "list", "--json"], ["targets", "list"], ["train", "hr", "--help"]]
MORE = [
    *([verb, "--help"] for verb in COMMANDS),
    ["doctor"],
    ["doctor", "--json"],
    ["zoo", "list"],
    ["zoo", "path", "camvid-compact"],
    ["completion", "bash"],
    ["inspect", "camvid-compact"],
    ["inspect", "camvid-compact", "--json"],
    ["run", "--print-config"],
]


def code_before_a_pipe(arguments):
    command = [sys.executable, "-m", "edge_arseg", *arguments]
    with Child(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        error = process.stderr.read()
    return process.returncode, error


@pytest.mark.parametrize("arguments", [*SHOWN, *(pytest.param(a, marks=pytest.mark.slow) for a in MORE)], ids=" ".join)
def test_whatever_is_shown_ends_with_4_or_quietly(typed, arguments):
    code, error = code_before_a_pipe(arguments)
    assert code == 0
    assert all(line.endswith(b" ...") for line in error.splitlines())  # what `doctor` tries
    for redirection in (">/dev/full", ">&-"):
        answer = typed(arguments, redirection)
        assert answer.returncode == 4, answer.stderr
        assert answer.stderr.splitlines()[-1].startswith("error: cannot write the standard output: ")
        assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_messages_that_nobody_can_read_do_not_end_a_run(typed, tmp_path, redirection):
    answer = typed(["run", "CLIP", f"jsonl://{tmp_path}/o"], redirection)
    assert answer.returncode == 0
    assert len((tmp_path / "o").read_text().splitlines()) == 3


IN_A_HURRY = (
    "from edge_arseg.video.sinks.streams import queued; queued.CLOSE_S = 0.2; "
    "from edge_arseg.cli.main import main; main()"
)


def test_a_reader_who_stops_reading_does_not_keep_a_live_run_from_its_end(fake_bundle):
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    street = f"test://street?size={HEIGHT}x{WIDTH}&frames=60&rate=60"
    command = [sys.executable, "-c", IN_A_HURRY, "run", street, "jsonl://-", "--realtime", "-b", str(fake_bundle)]
    answer = subprocess.run([*command, *FAKE], stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(theirs)
    os.close(ours)
    assert answer.returncode == 0, answer.stderr
    assert "jsonl://-: nobody takes what is written; gave up" in answer.stderr
