"""docs/command_line.md is what the help says."""

import click

from tools import command_line_page as writer


def test_the_page_is_fresh():
    assert writer.PAGE.read_text(encoding="utf-8") == writer.page(), "type: make tables"


def test_an_option_becomes_a_row_with_its_default():
    option = click.Option(["-n", "--number"], type=int, help="Frames|pictures. [default: all of them]")
    row = writer.row(option, click.Context(click.Command("x")))
    assert row == "| `-n`, `--number` `INTEGER` | Frames\\|pictures. | all of them |"


def test_what_click_must_not_wrap_is_a_block():
    assert writer.paragraphs("One\ntwo.\n\n\b\nA  b\nC  d") == "One two.\n\n```text\nA  b\nC  d\n```\n"
