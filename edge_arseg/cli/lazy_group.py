"""A group whose commands are modules of ``edge_arseg.cli``, imported when asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Imports a command's module when the command is asked for.

    Args:
        modules: command to the module that defines it as a function of the same name, in the order of the help;
            modules are named from ``edge_arseg.cli``.
        shown: command to the first sentence of its help, so that the group's help imports none of them.
    """

    def __init__(self, *arguments: Any, modules: Mapping[str, str], shown: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._modules, self._shown = modules, shown

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands as click does, from the sentences."""
        room = formatter.width - 6 - max(map(len, self._shown))
        rows = [(name, click.Command(name, help=text).get_short_help_str(room)) for name, text in self._shown.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the work."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in self._modules:
            return None
        return getattr(import_module(f".{self._modules[cmd_name]}", __package__), cmd_name)
