"""How long work says how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called with how much is done, how much there is in all (0 where that is not known), and what goes on now."""

HEARTBEAT_S = 10.0
"""Seconds between two signs of life of what takes longer."""


def no_progress(done: int, total: int, what: str) -> None:
    """Say nothing."""
