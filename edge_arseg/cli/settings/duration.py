"""The types of options that take a duration, with its unit or without."""

import re

import click

_FORM = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


class DurationType(click.ParamType):
    """Seconds, out of ``60s``, ``10m``, ``1h`` or a plain number."""

    name = "DURATION"
    units: tuple[str, ...] = ("ms", "s", "m", "min", "h")
    example = "60s, 10m or 1h"
    _unit_s = 1.0

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse ``value``; more than 0."""
        if isinstance(value, float):
            return value
        match = _FORM.fullmatch(str(value).lower())
        if match is None or match[2] not in ("", *self.units) or not float(match[1]):
            self.fail(f"{value!r} seen, expected a duration above 0 such as {self.example}", param, ctx)
        return float(match[1]) * (_SECONDS[match[2]] / self._unit_s if match[2] else 1.0)


class MillisecondsType(DurationType):
    """Milliseconds, out of ``40ms``, ``0.04s`` or a plain number."""

    name = "TIME"
    units, example = ("ms", "s"), "40ms or 0.5s"
    _unit_s = 0.001
