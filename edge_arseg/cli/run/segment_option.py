"""``--segment``: overlay videos in segments."""

import click

from edge_arseg.cli.settings.duration import DurationType

segment_option = click.option(
    "--segment",
    "segment_s",
    type=DurationType(),
    metavar="DURATION",
    help="Length of a segment, such as 60s, 10m or 1h, for overlay videos in segments NAME-00000.mp4, NAME-00001.mp4, "
    "each playable by itself. [default: one file]",
)
