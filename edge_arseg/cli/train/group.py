"""``edge-arseg train``: the group; its commands are modules of their own, imported when asked for."""

import click

from edge_arseg.cli.lazy_group import LazyGroup

COMMANDS = {"prepare": "train.prepare", "hr": "train.hr", "lr": "train.lr"}
"""Command to the module that defines it as a function of the same name, in the order of the work."""
SHOWN = {
    "prepare": "Make the pairs of frames that the LR branch is trained on.",
    "hr": "Train the HR branch on the labelled images of DATASET.",
    "lr": "Train the LR branch and the fusion on pairs of frames.",
}
"""Command to the first sentence of its help."""


@click.command(cls=LazyGroup, modules=COMMANDS, shown=SHOWN, path=("train",))
def train() -> None:
    """Train a model: the HR branch, then the LR branch on pairs.

    `train hr` learns from stills. `train prepare` makes the pairs of frames that `train lr` learns from.
    """
