"""The texts that people read: help of the command line, pages, public docstrings."""

import re
from collections.abc import Iterator
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
_BLOCKS = re.compile(r"^```.*?^```|<!--.*?-->|\$\$.*?\$\$", re.DOTALL | re.MULTILINE)
_NO_PROSE = ("|", "#", "![", "<", ":::")


def pages() -> list[Path]:
    """Return the Markdown pages that users read, but for the page of docstrings and the page of help."""
    found = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("edge_arseg/zoo/*.md")]
    return sorted(path for path in found if path.name not in ("python.md", "command_line.md"))


def prose(markdown: str) -> str:
    """Return a page without code, tables, headings, pictures and the marks of Markdown."""
    lines = [
        "\n"
        if not line.strip() or line.lstrip().startswith(_NO_PROSE)
        else re.sub(r"^\s*(?:[-*]|\d+\.)\s+", "\n", line)
        for line in _BLOCKS.sub("", markdown).splitlines()
    ]
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", "\n".join(lines))
    return text.replace("**", "").replace("`", "")


def commands(command: click.Command, path: str = "edge-arseg") -> Iterator[tuple[str, click.Command]]:
    """Yield every command with the words that call it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from commands(found, f"{path} {name}")


def options(command: click.Command) -> list[click.Option]:
    """Return the options of a command that its help shows."""
    return [
        one
        for one in command.params
        if isinstance(one, click.Option) and not one.hidden and one.name not in ("help", "version")
    ]


def help_text(root: click.Command) -> str:
    """Return all help as sentences: of commands, then of options, without their defaults."""
    parts = []
    for _, command in commands(root):
        parts.append((command.help or "").replace("\b", ""))
        parts += [re.sub(r"\[default:[^\]]*\]", "", one.help or "") for one in options(command)]
    return "\n\n".join(part.strip() for part in parts if part.strip())
