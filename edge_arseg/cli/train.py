"""``edge-arseg train``: the group; its commands are modules of their own, imported when asked for."""

from importlib import import_module

import click

COMMANDS = {"prepare": "train_prepare", "hr": "train_hr", "lr": "train_lr"}
"""Command to the module of this package that defines it as a function of the same name, in the order of the work."""


class _TrainGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return getattr(import_module(f".{COMMANDS[cmd_name]}", __package__), cmd_name)


@click.command(cls=_TrainGroup)
def train() -> None:
    """Train a model: prepare pairs of frames, then the HR branch on stills, then the LR branch on pairs."""
