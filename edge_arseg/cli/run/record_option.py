"""``--record``: what a live source sends, kept for ``replay://``."""

from pathlib import Path

import click

record_option = click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="New file for everything that a camera or stream sends, with its times, losses and drops; replay://FILE runs "
    "it again, exactly. [default: nothing is kept]",
)
