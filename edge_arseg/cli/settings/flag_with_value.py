"""An option that may stand alone or have a value: ``--serve`` or ``--serve 9000``."""

from collections.abc import Sequence
from typing import Any

import click

_ON, _OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class FlagWithValue(click.Option):
    """Is set in a file by ``true`` and in the environment by ``1`` or ``true`` as well, which is to type it alone."""

    def __init__(self, declared: Sequence[str], flag_value: str, **options: Any) -> None:
        super().__init__(declared, is_flag=False, flag_value=flag_value, **options)
        self.alone = flag_value

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """Return what a variable says; ``None`` where none is set, or where it turns the option off."""
        value = super().value_from_envvar(ctx)
        word = str(value).strip().lower()
        if word in _ON:
            return self.alone
        return None if word in _OFF else value
