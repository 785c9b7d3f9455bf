"""A number with what it counts."""


def counted(number: int, noun: str) -> str:
    """Return ``1 frame`` or ``2 frames``; the last word of the noun is the one that changes: ``1 hr frame``."""
    return f"{number} {noun if number == 1 else _many(noun)}"


def _many(noun: str) -> str:
    if noun.endswith("try"):
        return f"{noun[:-1]}ies"
    return f"{noun}{'es' if noun.endswith('ss') else 's'}"
