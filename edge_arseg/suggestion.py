"""What was probably meant by a name that is not known."""

import re
from collections.abc import Iterable, Mapping, Sequence

MOST = 3
"""Names that are suggested at once."""
OF_ONE_WORD = 6
"""Names that hold the words that were typed are all suggested, up to so many."""


def did_you_mean(seen: str, known: Iterable[str], *, shown: Mapping[str, str] | None = None) -> str:
    """Return a question such as ``did you mean a or b?``, or an empty text where nothing known is near.

    Names that begin with what was typed come first, then those that hold all its words (``orin-nano`` of
    ``jetson-orin-nano-8gb``), then those whose letters are nearest; upper case makes no difference.

    Args:
        seen: what was typed.
        known: the names that there are.
        shown: name to what is shown in its place.
    """
    from difflib import get_close_matches

    names = {name.lower(): name if shown is None else shown[name] for name in known}
    typed = seen.lower()
    begun = [key for key in names if len(typed) > 2 and key.startswith(typed)]
    holding = [key for key in names if len(typed) > 2 and _words(typed) and _words(typed) <= _words(key)][:OF_ONE_WORD]
    near = [] if holding else get_close_matches(typed, names, MOST, 0.6)
    keys = list(dict.fromkeys([*begun[:MOST], *holding, *near]))[: max(MOST, len(holding))]
    return f"did you mean {one_of([names[key] for key in keys])}?" if keys else ""


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", name))


def one_of(names: Sequence[str]) -> str:
    """Return ``a``, ``a or b``, or ``a, b or c``."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
