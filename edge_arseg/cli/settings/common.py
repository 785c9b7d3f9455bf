"""Options that every command has: how much is told, and where settings come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

_KEPT = "edge_arseg.common"


@dataclass(frozen=True, slots=True)
class Common:
    """What the common options say.

    Attributes:
        config: file of settings.
        verbose: how often ``-v`` stands there.
        quiet: tell warnings and errors only.
        log_file: to which everything that is told is added.
        log_format: of what is told, ``plain``, ``levels`` or ``json``.
    """

    config: Path | None = None
    verbose: int = 0
    quiet: bool = False
    log_file: Path | None = None
    log_format: str = "plain"


def common_from_context(ctx: click.Context) -> Common:
    """Return what was said before the command's name and behind it; behind it has the last word."""
    kept: Mapping[str, Any] = ctx.meta.get(_KEPT, {})
    return Common(**{name: value for name, value in kept.items() if value is not None})


def _keep(ctx: click.Context, option: click.Parameter, value: Any) -> Any:
    kept = ctx.meta.setdefault(_KEPT, {})
    if ctx.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE:
        kept[option.name] = value
    elif not isinstance(ctx.command, click.Group):
        kept.setdefault(option.name, value)
    return value


def common_options() -> list[click.Option]:
    """Return the options; each is kept in the context and not passed on to the command."""
    file = click.Path(path_type=Path, dir_okay=False)
    return [
        click.Option(
            ["--config"],
            type=file,
            metavar="FILE",
            expose_value=False,
            is_eager=True,
            callback=_keep,
            help="File of settings, TOML; the command line and the environment win over it. [default: none]",
        ),
        click.Option(
            ["-v", "--verbose"],
            count=True,
            expose_value=False,
            callback=_keep,
            help="More messages on stderr: -v for settings and the traceback of an unforeseen error, -vv for all. "
            "[default: off]",
        ),
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            callback=_keep,
            help="Fewer messages on stderr: warnings and errors alone. [default: off]",
        ),
        click.Option(
            ["--log-file"],
            type=file,
            metavar="FILE",
            expose_value=False,
            callback=_keep,
            help="File that messages are added to, with the time of each, whatever stderr shows. [default: none]",
        ),
        click.Option(
            ["--log-format"],
            type=click.Choice(["plain", "levels", "json"]),
            expose_value=False,
            callback=_keep,
            help="Form of messages on stderr: plain, for people; levels, with time and level; json, an object a line, "
            "in --log-file too. Under systemd the journal gets their levels in any form. [default: plain]",
        ),
    ]


def print_option() -> click.Option:
    """Return ``--print-config``, which a command looks at itself."""
    return click.Option(
        ["--print-config"],
        is_flag=True,
        expose_value=False,
        help="Settings of this command on stdout, as TOML that --config takes, each with where it comes from; nothing "
        "else is done. [default: off]",
    )
