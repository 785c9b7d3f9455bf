"""The type of an option that takes mIoU."""

from typing import Any

import click


class MiouType(click.FloatRange):
    """mIoU in points of 100; a share such as ``0.68`` is refused: nearly everything holds that limit."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse ``value``."""
        points: float = super().convert(value, param, ctx)
        if 0 < points <= 1:
            self.fail(f"'{value}' seen, expected points of 100: {100 * points:g} for {points:.0%}", param, ctx)
        return points


MIOU = MiouType(0, 100)
