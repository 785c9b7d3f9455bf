"""What an option takes, where its value is missing or is no number."""

import click


def number_expected(error: click.BadParameter) -> str | None:
    """Return the message for a value that is no number, or outside its range; ``None`` where it is something else."""
    kind = error.param.type if error.param is not None else None
    if not isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        return None
    seen = error.message.partition(" is not ")[0].strip("'")
    if seen == error.message:
        return None
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
        return f" from {low:g} to {high:g}"
    if low is not None:
        return f" {'above' if getattr(kind, 'min_open', False) else 'of at least'} {low:g}"
    return f" of at most {high:g}" if high is not None else ""
