"""The commands of the command line, for tests that ask something of each."""

import click

from edge_arseg.cli.main import cli


def commands(group=cli, path=()):
    """Yield the words of every command, with the command."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command
