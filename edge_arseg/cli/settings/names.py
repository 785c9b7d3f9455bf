"""What the environment and a file call an option.

``edge-arseg run --recode-scale`` is ``EDGE_ARSEG_RUN_RECODE_SCALE`` in the environment, and ``recode-scale`` under
``[run]`` in a file. Options that mean the same in every command that has them have a name without the command too.
"""

import os

import click

PREFIX = "EDGE_ARSEG"
SHARED = (
    "backend",
    "bundle",
    "fusion",
    "log-file",
    "log-format",
    "motion",
    "quiet",
    "recode-scale",
    "stream",
    "target",
    "threads",
    "unchecked",
    "verbose",
)
"""Options that can be set for every command at once."""
_OTHERS: dict[tuple[str, ...], tuple[str, ...]] = {("train", "lr"): ("fusion",)}
"""Options of a command that share such a name and mean something else."""
_NEVER = ("help", "print-config", "version")


def key_of(option: click.Parameter) -> str:
    """Return the name of an option in a file: its longest flag without dashes in front."""
    return max(option.opts, key=len).lstrip("-")


def is_set_elsewhere(option: click.Parameter) -> bool:
    """Whether an option can be set by the environment, and but for ``--config`` by a file."""
    return isinstance(option, click.Option) and not option.hidden and key_of(option) not in _NEVER


def is_shared(key: str, path: tuple[str, ...]) -> bool:
    """Whether an option of a command can be set for every command at once."""
    return key in SHARED and key not in _OTHERS.get(path, ())


def variables_of(option: click.Parameter, path: tuple[str, ...]) -> list[str]:
    """Return the variables that set an option of the command ``path``; the first that is set counts."""
    key = key_of(option)
    if key == "config":
        return [f"{PREFIX}_CONFIG"]
    names = [(*path, key), *([(key,)] if is_shared(key, path) else [])]
    return [prefix_of(words) for words in names]


def prefix_of(words: tuple[str, ...]) -> str:
    """Return words as a variable, or the beginning of one."""
    return "_".join((PREFIX, *words)).upper().replace("-", "_")


def set_variable(option: click.Parameter, path: tuple[str, ...]) -> str | None:
    """Return the variable that sets an option now."""
    return next((name for name in variables_of(option, path) if os.environ.get(name)), None)
