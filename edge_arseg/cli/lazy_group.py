"""Groups whose commands take settings, and one whose commands are modules of ``edge_arseg.cli``, imported when asked
for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from edge_arseg.cli.meant.commands import command_meant
from edge_arseg.cli.meant.options import option_meant
from edge_arseg.cli.settings.command import settled


class SettledGroup(click.Group):
    """Gives its commands settings, and says which command was meant.

    Args:
        path: words of the group itself.
    """

    def __init__(self, *arguments: Any, path: tuple[str, ...] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.path = path
        self._settled: dict[str, click.Command] = {}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; an option that is not the group's own belongs to a command, and stands behind it."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            option = error.option_name
            meant = option_meant(option, self) or (
                f"options of a command stand behind it: {ctx.command_path} COMMAND {option} ..."
            )
            raise click.UsageError(f"No such option: {option}; {meant}", ctx) from None

    def declared(self, name: str) -> click.Command | None:
        """Return a command as it is declared."""
        return self.commands.get(name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, with settings."""
        if cmd_name not in self._settled:
            command = self.declared(cmd_name)
            if command is None:
                return None
            self._settled[cmd_name] = settled(command, (*self.path, cmd_name))
        return self._settled[cmd_name]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse a command that is not there, and say which one was meant."""
        name = args[0]
        if not ctx.resilient_parsing and not name.startswith("-") and self.get_command(ctx, name) is None:
            meant = command_meant(name, self.list_commands(ctx), self.path)
            ctx.fail(f"No such command {name!r}{'; ' if meant else ''}{meant}")
        return super().resolve_command(ctx, args)


class LazyGroup(SettledGroup):
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

    def declared(self, name: str) -> click.Command | None:
        """Import and return one command."""
        if name not in self._modules:
            return None
        return getattr(import_module(f".{self._modules[name]}", __package__), name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Return the commands that begin like this, without importing them, and the options."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=text) for name, text in self._shown.items() if name.startswith(incomplete)]
