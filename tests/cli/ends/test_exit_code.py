"""Exit codes of what nobody foresaw."""

import logging
from email.message import Message

import click
import pytest

from edge_arseg.cli.ends.exit_code import code_of_command


@pytest.mark.parametrize("error", [RuntimeError("a\nb"), FileNotFoundError(2, "no such file", "x"), KeyError("k")])
def test_an_unforeseen_error_is_70_and_one_line(capsys, caplog, error):
    def command():
        raise error

    with caplog.at_level(logging.DEBUG, "edge_arseg"):
        assert code_of_command(command) == 70
    told = capsys.readouterr().err
    assert told.startswith(f"error: unforeseen {type(error).__name__}: ")
    assert told.count("\n") == 1
    assert "please report it" in told
    assert "in command" in caplog.text  # the trace is there for -v and --log-file


@pytest.mark.parametrize(
    ("urls", "place"),
    [
        ([], "to the people from whom you have it"),
        (["Source, https://a.example", "Issues, https://b.example"], "https://b.example"),
    ],
)
def test_reports_go_to_the_tracker_that_the_metadata_names(capsys, monkeypatch, urls, place):
    package = Message()
    for url in urls:
        package["Project-URL"] = url
    monkeypatch.setattr("importlib.metadata.metadata", lambda _: package)

    def command():
        raise RuntimeError

    assert code_of_command(command) == 70
    assert f"please report it ({place})" in capsys.readouterr().err


def test_a_login_in_an_unforeseen_error_is_not_shown(capsys):
    def command():
        raise RuntimeError("cannot open rtsp://user:secret@host/a")

    assert code_of_command(command) == 70
    assert "secret" not in capsys.readouterr().err


def test_clicks_own_code_1_is_a_usage_error(capsys):
    def command():
        raise click.ClickException("no")

    assert code_of_command(command) == 2
