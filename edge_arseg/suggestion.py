"""What was probably meant by a name that is not known."""

from collections.abc import Iterable

MOST = 3
"""Names that are suggested at once."""


def did_you_mean(seen: str, known: Iterable[str]) -> str:
    """Return a question such as ``did you mean a or b?``, or an empty text where nothing known is near.

    Names that begin with what was typed come first, then those whose letters are nearest; upper case makes no
    difference.

    Args:
        seen: what was typed.
        known: the names that there are.
    """
    from difflib import get_close_matches

    names = {name.lower(): name for name in known}
    typed = seen.lower()
    begun = [key for key in names if len(typed) > 2 and key.startswith(typed)]
    near = dict.fromkeys([*begun, *get_close_matches(typed, names, MOST, 0.6)])
    found = [names[key] for key in near][:MOST]
    if not found:
        return ""
    *others, last = found
    return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"
