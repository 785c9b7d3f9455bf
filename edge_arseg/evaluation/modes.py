"""The modes that are scored."""

from collections.abc import Iterable

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
    given = [mode.value if isinstance(mode, Mode) else mode for mode in modes]
    known = [mode.value for mode in Mode]
    if not given or len(set(given)) < len(given) or not set(given) <= set(known):
        raise OptionError(f"modes {','.join(given)!r} seen, expected one or more of {', '.join(known)}, each once")
    return tuple(Mode(name) for name in given)
