"""What log lines look like for machines: JSON on request, and the journal's priorities under systemd."""

import json
import os
import re
import subprocess
import sys

import pytest
from support.bundles.fake import FAKE

from edge_arseg.cli.log import shown_command

STREET = "test://street?size=48x64&frames=3"
IN_A_HURRY = (
    "from edge_arseg.video.sinks.streams import push; push._PATIENCE_S = 0.2; "
    "from edge_arseg.__main__ import main; main()"
)
"""The program, which gives up a server sooner."""


def test_every_line_on_stderr_is_an_object_on_request(run):
    answer = run(STREET, "null://", "--log-format", "json", "--serve-token", "0123456789abcdef")
    lines = [json.loads(line) for line in answer.err.splitlines()]
    assert answer.code == 2
    assert lines[-1]["level"] == "error"
    assert lines[-1]["message"].startswith("--serve-token seen without --serve")
    answer = run(STREET, "null://", "--log-format", "json")
    lines = [json.loads(line) for line in answer.err.splitlines()]
    assert answer.code == 0
    assert {line["level"] for line in lines} == {"note"}
    assert {line["logger"] for line in lines} == {"edge-arseg"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines)
    assert lines[-1]["message"].startswith("3 frames, 1 keyframe,")


def test_one_variable_gives_the_lines_of_every_command_their_form(run, edge_arseg, monkeypatch):
    monkeypatch.setenv("EDGE_ARSEG_LOG_FORMAT", "json")
    for answer in (run("missing.mp4", "null://"), edge_arseg("inspect", "missing.arseg")):
        (line,) = map(json.loads, answer.err.splitlines())
        assert (line["level"], "missing" in line["message"]) == ("error", True)


def test_levels_stand_in_front_and_logins_nowhere(run, tmp_path):
    log = tmp_path / "run.log"
    url = "rtsp://user:secret@127.0.0.1:9/x"
    answer = run(url, "null://", "--timeout", "0.1", "--log-format", "levels", "--log-file", log)
    assert answer.code == 4
    last = answer.err.splitlines()[-1]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} ERROR edge-arseg: rtsp://\*\*\*@127.0.0.1", last)
    assert "secret" not in answer.err + log.read_text()


@pytest.mark.parametrize(
    ("argument", "shown"),
    [
        ("rtsp://u:a b SECRET@127.0.0.1:9/x", "rtsp://***@127.0.0.1:9/x"),
        ("--clip=rtsp://u:a SECRET@host/x", "--clip=rtsp://***@host/x"),
        (
            "gst://rtspsrc location=rtsp://cam/x user-pw=SECRET ! decodebin",
            "gst://rtspsrc location=rtsp://cam/x user-pw=***",
        ),
        ("rtmp://h/live/x pubUser=u pubPasswd=SECRET", "rtmp://h/live/*** pubUser=***"),
        ("--cluster=tcp://u:SE CRET@host:8786", "--cluster=tcp://***@host:8786"),
        ("--serve-token=SECRET", "--serve-token=***"),
        ("--serve-token=@token.txt", "--serve-token=@token.txt"),
        ("--interval=5", "--interval=5"),
        ("test://street?frames=2", "test://street?frames=2"),
    ],
)
def test_each_argument_is_shown_without_its_secrets(argument, shown):
    assert shown_command(["run", argument, "null://"]) == f"run {shown} null://"


def test_the_value_behind_a_secret_option_is_not_shown():
    arguments = [
        "--serve-token",
        "SECRET",
        "--serve-token",
        "@file",
        "--keyframes",
        "async",
        "--serve-token",
        "--SECRET",
    ]
    assert shown_command(arguments) == "--serve-token *** --serve-token @file --keyframes async --serve-token ***"


@pytest.mark.parametrize(
    "form", ["json", *(pytest.param(form, marks=pytest.mark.slow) for form in ("plain", "levels"))]
)
def test_no_log_shows_a_login_with_a_blank_in_it(fake_bundle, tmp_path, form):
    log = tmp_path / "run.log"
    common = ["--timeout", "0.1", "-v", "--log-format", form, "--log-file", str(log)]
    for arguments in (
        ["rtsp://user:a b SECRET@127.0.0.1:9/x", "null://"],
        ["rtmp://127.0.0.1:9/live/x pubUser=u pubPasswd=SECRET", "null://"],
        [STREET, "rtmp://127.0.0.1:9/live/x pubUser=u pubPasswd=SECRET"],
        [STREET, "null://", "--serve-token", "SECRET-SECRET-SECRET"],
    ):
        command = [sys.executable, "-c", IN_A_HURRY, "run", *arguments, "-b", fake_bundle, *FAKE, *common]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert answer.returncode in (2, 4)
        assert "SECRET" not in answer.stdout + answer.stderr + log.read_text()
    assert "null://" in log.read_text()


def test_what_is_typed_in_a_wrong_place_is_repeated_without_its_login(edge_arseg, monkeypatch):
    url = "rtsp://user:a b SECRET@host/x"
    monkeypatch.setenv("EDGE_ARSEG_RUN_LIMIT", url)
    for arguments in (("bench", url, url), ("run", f"--interval={url}", "x"), ("run", url, "null://"), (url,)):
        answer = edge_arseg(*arguments)
        assert answer.code == 2, answer.err
        assert "rtsp://***@host/x" in answer.err
        assert "SECRET" not in answer.err


def test_a_log_of_objects_is_added_to(run, tmp_path):
    log = tmp_path / "run.log"
    for _ in range(2):
        assert run(STREET, "null://", "--log-format", "json", "--log-file", log).code == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["message"].startswith("3 frames") for line in lines].count(True) == 2


def test_the_journal_gets_priorities(tmp_path):
    """Where stderr is the stream that JOURNAL_STREAM names, and only there."""
    code = (
        "import os, sys\n"
        "at = os.fstat(2)\n"
        "os.environ['JOURNAL_STREAM'] = f'{at.st_dev}:{at.st_ino + int(sys.argv[1])}'\n"
        "from edge_arseg.cli.main import exit_code\n"
        "sys.exit(exit_code(['-v', 'run', 'nowhere.mp4', 'null://']))"
    )
    told = []
    for other in ("0", "1"):
        with (tmp_path / "err").open("w+") as err:
            done = subprocess.run(
                [sys.executable, "-c", code, other], stderr=err, env=os.environ, check=False, timeout=60
            )
            err.seek(0)
            told.append(err.read().splitlines())
        assert done.returncode == 4
    assert told[0][0].startswith("<6>edge-arseg ")
    assert told[0][-1].startswith("<3>nowhere.mp4: ")
    assert told[1][-1].startswith("error: nowhere.mp4: ")
