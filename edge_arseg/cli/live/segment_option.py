"""``--segment``: overlay videos in segments."""

import re

import click

_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


class DurationType(click.ParamType):
    """Seconds, out of ``60s``, ``10m``, ``1h`` or a plain number."""

    name = "duration"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(value).lower())
        if match is None or match[2] not in _UNITS or not float(match[1]):
            self.fail(f"{value!r} is no duration; expected for example 60s, 10m or 1h", param, ctx)
        return float(match[1]) * _UNITS[match[2]]


segment_option = click.option(
    "--segment",
    "segment_s",
    type=DurationType(),
    metavar="DURATION",
    help="Length of a segment, such as 60s, 10m or 1h, for overlay videos in segments NAME-00000.mp4, NAME-00001.mp4, "
    "each playable by itself. [default: one file]",
)
