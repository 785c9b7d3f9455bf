#!/usr/bin/env python3
"""Write docs/command_line.md from click: every command with its arguments and options.

usage: python tools/command_line_page.py    (part of make tables)
"""

import inspect
import re
import sys
from pathlib import Path, PurePath

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from edge_arseg.cli.main import cli
from tools.words.texts import commands, options

PAGE = ROOT / "docs" / "command_line.md"
HEAD = """\
# Command line

`make tables` writes this page from the help of the commands: change the help, not this page.
`edge-arseg COMMAND --help` shows the same. [Running](running.md#exit-codes) lists the exit codes.
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for name, command in commands(cli):
        parts.append(f"## `{name}`\n\n" + section(command, name))
    return "\n".join(parts)


def section(command: click.Command, name: str) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    parts = [f"```text\n{usage}\n```\n", paragraphs(command.help or "")]
    if isinstance(command, click.Group):
        found = [(one, command.get_command(context, one)) for one in command.list_commands(context)]
        links = [f"- [`{one}`](#{anchor(f'{name} {one}')})" for one, sub in found if sub is not None and not sub.hidden]
        parts.append("\n".join(links) + "\n")
    rows = [row(one, context) for one in options(command)]
    if rows:
        parts.append("| option | meaning | default |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(part for part in parts if part.strip())


def paragraphs(text: str) -> str:
    """Return help as Markdown; what click must not wrap is shown as it stands."""
    out = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if block.startswith("\b"):
            out.append("```text\n" + block.removeprefix("\b").strip("\n") + "\n```")
        else:
            out.append(cell(" ".join(block.split())))
    return "\n\n".join(out) + "\n"


def row(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{one}`" for one in [*option.opts, *option.secondary_opts])
    kind = "" if option.is_flag else _metavar(option, context)
    choices = f" `{kind}`" if kind else ""
    text = option.help or ""
    said = re.search(r"\s*\[default:\s*([^\]]*)\]", text)
    default = said[1] if said else ""
    if said:
        text = text.replace(said[0], "")
    elif option.required:
        default = "required"
    elif option.secondary_opts:  # a switch with two names: that which holds
        default = f"`{(option.opts if option.default else option.secondary_opts)[0]}`"
    elif (
        option.show_default and isinstance(option.default, (str, int, float, PurePath)) and option.default is not False
    ):
        default = f"`{option.default}`"
    return f"| {names}{choices.replace('|', chr(92) + '|')} | {cell(text)} | {cell(default)} |"


def _metavar(option: click.Option, context: click.Context) -> str:
    if "ctx" in inspect.signature(option.make_metavar).parameters:
        return option.make_metavar(context)
    return option.make_metavar()  # click before 8.2


def cell(text: str) -> str:
    """Escape what Markdown would read as its own."""
    return re.sub(r"([|<>*_\[\]])", r"\\\1", " ".join(text.split()))


def anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
