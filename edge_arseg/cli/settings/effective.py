"""The settings of a command as TOML that ``--config`` takes, each with where it comes from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from edge_arseg.cli.settings.names import key_of


@dataclass(frozen=True, slots=True)
class Setting:
    """An option with its value.

    Attributes:
        option: of the command.
        value: as written; ``None`` where there is none.
        origin: where it comes from, in words.
    """

    option: click.Parameter
    value: Any
    origin: str


def toml_from_settings(path: tuple[str, ...], settings: Sequence[Setting]) -> str:
    """Return a TOML document with one table, the command's; options without a value are comments."""
    lines = [f"[{'.'.join(path)}]"]
    written = [(setting, _value(setting)) for setting in settings]
    width = max((len(f"{key_of(setting.option)} = {value}") for setting, value in written if value), default=0)
    for setting, value in written:
        key = key_of(setting.option)
        if value is not None and _is_secret(setting):
            lines.append(f"# {key} is set, and a secret: not shown; from {setting.origin}")
        elif value is None:
            lines.append(f"# {key} is not set" + (" and required" if setting.origin == "required" else ""))
        else:
            lines.append(f"{f'{key} = {value}'.ljust(min(width, 40))}  # {setting.origin}")
    return "\n".join(lines) + "\n"


def _is_secret(setting: Setting) -> bool:
    """Whether the value itself is a secret, and not ``@FILE``: people paste what is printed into reports."""
    option = setting.option
    return isinstance(option, click.Option) and option.hide_input and not str(setting.value).startswith("@")


def _value(setting: Setting) -> str | None:
    option, value = setting.option, setting.value
    if isinstance(option, click.Option) and option.is_flag and not option.count:
        return _truth(value)
    if value is None or (option.multiple and not value):
        return None
    if option.multiple:
        return f"[{', '.join(_one(option, one) for one in value)}]"
    return _one(option, value)


def _truth(value: Any) -> str:
    return "true" if value is True or str(value).lower() in ("1", "true", "t", "yes", "y", "on") else "false"


def _one(option: click.Parameter, value: Any) -> str:
    """Return one value: numbers where the option takes numbers, else a text, without logins."""
    from edge_arseg.storage.url import text_without_logins

    if isinstance(option.type, (type(click.INT), type(click.FLOAT))):
        return str(value)
    text = "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return json.dumps(text_without_logins(text), ensure_ascii=False).replace("\x7f", "\\u007f")
