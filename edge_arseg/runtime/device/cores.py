"""The cores that this process has, and how much may be done on them at once."""

import os

from edge_arseg.arguments import is_number
from edge_arseg.errors import OptionError
from edge_arseg.quantity import counted


def usable_cores() -> int:
    """Return the number of cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_at_once() -> int:
    """Return the largest number of threads or processes that is taken: 256, or four for each core where that is more.

    Tens of thousands leave a machine no time for anything else, and none to stop them.
    """
    return max(256, 4 * (os.cpu_count() or 1))


def check_at_once(number: int | None, what: str, instead: str, *, least: int = 1) -> None:
    """Refuse a number of threads or processes that is out of range.

    Args:
        number: asked for; ``None``: none was.
        what: they are, for the message: ``threads``.
        instead: what to do, for the message.
        least: that makes sense.

    Raises:
        OptionError: it is no whole number, smaller, or larger than ``most_at_once``.
    """
    if number is None:
        return
    if not is_number(number, whole=True):
        raise OptionError(
            f"{number!r} {what} seen, expected a whole number from {least} to {most_at_once()}; {instead}"
        )
    if not least <= number <= most_at_once():
        cores = os.cpu_count() or 1
        raise OptionError(
            f"{number} {what} seen, expected {least} to {most_at_once()}: this machine has {counted(cores, 'core')}, "
            f"and what is more than cores waits; {instead}"
        )
