"""What an option takes, where its value is missing or is no number."""

import math

import click


def refuse_endless(command: click.Command, ctx: click.Context) -> None:
    """Refuse NaN and infinity, which no option takes: comparisons with a range let them through.

    Args:
        command: whose options were read.
        ctx: with their values.

    Raises:
        click.BadParameter: a value is one of them, or is one of several that are.
    """
    for param in command.params:
        value = ctx.params.get(str(param.name))
        for number in value if isinstance(value, list | tuple) else (value,):
            if isinstance(number, float) and not math.isfinite(number):
                raise click.BadParameter(f"'{number}' seen, expected a finite number{_range(param.type)}", ctx, param)


def number_expected(error: click.BadParameter) -> str | None:
    """Return the message for a value that is no number, or outside its range; ``None`` where it is something else."""
    kind = error.param.type if error.param is not None else None
    if isinstance(kind, click.types.BoolParamType) and " is not a valid boolean" in error.message:
        return f"{error.message.partition(' is not ')[0]} seen, expected true or false"
    if not isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        return None
    seen, found, _ = error.message.partition(" is not ")
    if not found:
        return None
    seen = seen.strip("'")
    whole = "a whole number" if isinstance(kind, click.types.IntParamType) else "a number"
    return f"'{seen}' seen, expected {whole}{_range(kind)}"


def option_needed(error: click.MissingParameter) -> str | None:
    """Return what a missing option stands for: the first sentence of its help. ``None``: it is an argument."""
    if not isinstance(error.param, click.Option) or not error.param.help:
        return None
    what = error.param.help.partition(". ")[0].partition(" [")[0].rstrip(".")
    return f"Missing option {' / '.join(repr(name) for name in error.param.opts)}: {what[0].lower()}{what[1:]}"


def _range(kind: click.ParamType) -> str:
    low, high = getattr(kind, "min", None), getattr(kind, "max", None)
    if low is not None and high is not None:
        if getattr(kind, "min_open", False):
            return f" above {_shown(low)}, up to {_shown(high)}"
        return f" from {_shown(low)} to {'below ' if getattr(kind, 'max_open', False) else ''}{_shown(high)}"
    if low is not None:
        return f" {'above' if getattr(kind, 'min_open', False) else 'of at least'} {_shown(low)}"
    return f" of at most {_shown(high)}" if high is not None else ""


def _shown(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:g}"
