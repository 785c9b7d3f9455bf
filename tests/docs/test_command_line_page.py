"""docs/command_line.md is what the help says."""

from pathlib import Path

import click

from edge_arseg.runtime.engines.opening import BACKENDS
from tools import command_line_page as writer


def test_the_page_is_fresh():
    assert writer.PAGE.read_text(encoding="utf-8") == writer.page(), "type: make tables"


def test_a_backend_that_a_test_adds_is_not_in_help(monkeypatch):
    monkeypatch.setitem(BACKENDS, "toy", "support.bundles.toy:ToyEngine")
    assert "toy" not in writer.page()


def test_an_option_becomes_a_row_with_its_default():
    option = click.Option(["-n", "--number"], type=int, help="Frames|pictures. [default: all of them]")
    row = writer.row(option, click.Context(click.Command("x")))
    assert row == "| `-n`, `--number` `INTEGER` | Frames\\|pictures. | all of them |"


def test_a_default_that_is_a_path_or_one_of_two_switches_is_shown():
    context = click.Context(click.Command("x"))
    folder = click.Option(["-o"], type=click.Path(), default=Path("tuned"), show_default=True, help="Folder.")
    switch = click.Option(["--legend/--no-legend"], default=True, show_default=True, help="Legend.")
    assert writer.row(folder, context) == "| `-o` `PATH` | Folder. | `tuned` |"
    assert writer.row(switch, context) == "| `--legend`, `--no-legend` | Legend. | `--legend` |"


def test_every_option_shows_its_default():
    assert [line for line in writer.page().splitlines() if line.startswith("| `-") and line.endswith("|  |")] == []


def test_what_click_must_not_wrap_is_a_block():
    assert writer.paragraphs("One\ntwo.\n\n\b\nA  b\nC  d") == "One two.\n\n```text\nA  b\nC  d\n```\n"
