"""A log file while a run lasts: moved away, on a full disk, in a folder that goes."""

import logging
import shutil
from pathlib import Path

import pytest

from edge_arseg.cli.service.log_file import LogFile
from edge_arseg.cli.service.log_format import PLAIN, record_of

STREET = "test://street?size=48x64&frames=2"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@pytest.fixture
def log(tmp_path):
    (tmp_path / "logs").mkdir()
    file = LogFile(tmp_path / "logs/run.log", PLAIN)
    yield file
    file.close()


def lines(path):
    return [line.rpartition(": ")[2] for line in path.read_text().splitlines()]


@needs_full
@pytest.mark.parametrize("form", ["plain", "json"])
def test_a_full_disk_of_the_log_ends_no_run_and_is_told_once(run, form):
    answer = run(STREET, "null://", "-v", "--log-file", "/dev/full", "--log-format", form)
    assert answer.code == 0, answer.err
    assert answer.err.count("cannot write --log-file /dev/full: the disk is full") == 1
    assert "Traceback" not in answer.err


def test_a_log_that_is_moved_away_is_begun_anew(log, tmp_path):
    path, older = tmp_path / "logs/run.log", tmp_path / "logs/run.log.1"
    log.handle(record_of(logging.WARNING, "first"))
    path.rename(older)
    log.handle(record_of(logging.WARNING, "second"))
    path.unlink()
    log.handle(record_of(logging.WARNING, "third"))
    assert lines(older) == ["first"]
    assert lines(path) == ["third"]


def test_a_log_whose_folder_goes_ends_nothing(log, tmp_path, capsys):
    shutil.rmtree(tmp_path / "logs")
    log.handle(record_of(logging.WARNING, "lost"))
    (tmp_path / "logs").mkdir()
    log.handle(record_of(logging.WARNING, "there"))
    assert lines(tmp_path / "logs/run.log") == ["there"]
    assert capsys.readouterr().err == ""


def test_no_result_takes_the_place_of_the_log(run, tmp_path):
    """With --force a log of many days was replaced by the results of one run."""
    log = tmp_path / "run.jsonl"
    assert run(STREET, "null://", "--log-file", str(log)).code == 0
    before = log.read_text()
    answer = run(STREET, f"jsonl://{log}", "--force", "--log-file", str(log))
    assert answer.code == 4
    assert "a running process writes to it; choose another name" in answer.err
    assert log.read_text().startswith(before)
    assert run(STREET, f"jsonl://{log}", "--force").code == 0  # no log any more
