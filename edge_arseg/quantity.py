"""A number with what it counts."""


def counted(number: float, noun: str) -> str:
    """Return ``1 frame``, ``2 frames`` or ``1.5 frames``; the last word of the noun changes: ``1 hr frame``."""
    shown = f"{number:g}" if isinstance(number, float) else str(number)
    return f"{shown} {noun if number == 1 else _many(noun)}"


def _many(noun: str) -> str:
    if noun.endswith("try"):
        return f"{noun[:-1]}ies"
    return f"{noun}{'es' if noun.endswith('ss') else 's'}"
