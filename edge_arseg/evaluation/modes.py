"""The modes that are scored."""

from collections.abc import Iterable

from edge_arseg.arguments import named
from edge_arseg.errors import OptionError
from edge_arseg.runtime.mode import Mode


def modes_from_text(text: str) -> tuple[Mode, ...]:
    """Read names of modes like ``ar,hr,lr``; see ``checked_modes``.

    Raises:
        OptionError: no such mode, or one twice.
    """
    return checked_modes(part.strip() for part in text.split(","))


def checked_modes(modes: Iterable[Mode | str]) -> tuple[Mode, ...]:
    """Return modes in the order given.

    Raises:
        OptionError: none, no such mode, or one twice.
    """
    found = tuple(named(Mode, mode, "mode") for mode in modes)
    if not found or len(set(found)) < len(found):
        told = ",".join(mode.value for mode in found)
        known = ", ".join(mode.value for mode in Mode)
        raise OptionError(f"modes {told!r} seen, expected one or more of {known}, each once")
    return found
