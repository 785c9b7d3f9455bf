"""What was typed when a run was started: a command that continues the run need not repeat it."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from edge_arseg.errors import OptionError

IN_OUTPUT = "-o"
"""Value of ``--resume`` where no folder stands behind it: the run is in the folder of ``-o``."""

_BEGAN = {"dataset": "hr", "model": "lr"}
"""Argument to the command that has it."""
_OF_THIS_COMMAND = ("resume", "output")


def folder_to_resume(resume: str | None, output: Path | None) -> Path | None:
    """Return the folder of the run to continue; ``None`` where a new one is to be started in ``output``.

    Raises:
        click.UsageError: no folder is named, or two.
    """
    if resume is None:
        if output is None:
            raise click.UsageError("Missing option '-o' / '--output': the folder of a new run; or type --resume RUN")
        return None
    if resume != IN_OUTPUT and output is not None and os.path.abspath(resume) != os.path.abspath(output):  # noqa: PTH100
        raise click.UsageError(f"--resume {resume} and -o {output} name two folders; type --resume with one of them")
    if resume == IN_OUTPUT and output is None:
        raise click.UsageError("--resume needs the folder of a run: type --resume RUN")
    return output if resume == IN_OUTPUT else Path(resume)


def typed_values(context: click.Context, values: dict[str, Any]) -> dict[str, Any]:
    """Return what ``--resume`` will fill in, as JSON takes it; paths are absolute."""
    return {
        parameter.name: _plain(values[parameter.name], several=_takes_several(parameter))
        for parameter in _kept(context)
        if parameter.name is not None and parameter.name in values
    }


def values_of_run(context: click.Context, values: dict[str, Any], settings: Path) -> dict[str, Any]:
    """Return ``values`` with those of the run for all that stands not on this command line.

    Args:
        context: of the command.
        values: of its parameters.
        settings: file of the run's settings. A run that was started from Python, or by version 0.1.0, holds none of
            what was typed: then nothing is filled in.

    Raises:
        OptionError: there is no run, or what it holds does not fit this command.
    """
    try:
        content = json.loads(settings.read_bytes())
        typed = content.get("typed", {})
        if "steps" in typed:  # a run that was lengthened has more than were typed to start it
            typed["steps"] = content.get("steps", typed["steps"])
        _check_command(context, typed, settings.parent)
        kept = {parameter.name: parameter for parameter in _kept(context) if parameter.name in typed}
        filled = {
            name: parameter.type_cast_value(context, typed[name])
            for name, parameter in kept.items()
            if name and context.get_parameter_source(name) is not ParameterSource.COMMANDLINE
        }
    except OptionError:
        raise
    except OSError as error:
        raise OptionError(
            f"{settings.parent}: no run to continue ({error.strerror or error}); expected the folder that -o named "
            "when the run was started"
        ) from error
    except (ValueError, AttributeError, TypeError, RecursionError, click.BadParameter) as error:
        raise OptionError(f"{settings}: damaged ({error}); start a new run") from error
    return {**values, **filled}


def _check_command(context: click.Context, typed: dict[str, Any], run: Path) -> None:
    """Refuse a run that another command began: that has another argument.

    Raises:
        OptionError: with the command to type.
    """
    own = {parameter.name for parameter in context.command.params if isinstance(parameter, click.Argument)}
    others = [command for argument, command in _BEGAN.items() if argument in typed and argument not in own]
    if others and not own & typed.keys():
        raise OptionError(f"{run}: a run of `train {others[0]}`; type edge-arseg train {others[0]} --resume {run}")


def _kept(context: click.Context) -> Iterable[click.Parameter]:
    return (parameter for parameter in context.command.params if parameter.name not in _OF_THIS_COMMAND)


def _takes_several(parameter: click.Parameter) -> bool:
    return bool(getattr(parameter, "multiple", False))


def _plain(value: Any, *, several: bool) -> Any:
    if several:
        return [_plain(one, several=False) for one in value]
    if isinstance(value, Path):
        return os.path.abspath(value)  # noqa: PTH100 - resolve would follow links
    return "x".join(map(str, value)) if isinstance(value, tuple) else value  # rows x columns
