"""The mix of motion in a store: which share of the vectors comes from where."""

from collections.abc import Mapping

import numpy as np

from edge_arseg.errors import OptionError

MOTIONS = ("recode", "codec", "zero")
MIX: Mapping[str, float] = {"recode": 0.8, "codec": 0.1, "zero": 0.1}
"""Sources of vectors at inference, and a little of what goes wrong there."""


def motion_from_mix(mix: Mapping[str, float], rng: np.random.Generator) -> str:
    """Draw where the vectors come from."""
    names = sorted(mix)
    shares = np.array([mix[name] for name in names])
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


def mix_from_text(text: str) -> dict[str, float]:
    """Read ``recode=0.8,codec=0.1,zero=0.1``.

    Raises:
        OptionError: something else, or nothing above 0.
    """
    mix: dict[str, float] = {}
    try:
        for part in text.split(","):
            name, value = part.split("=")
            mix[name.strip()] = float(value)
    except ValueError:
        mix = {}
    known = set(mix) <= set(MOTIONS) and all(0 <= share < float("inf") for share in mix.values())
    if not mix or not known or not sum(mix.values()):
        raise OptionError(
            f"a motion mix of {text!r}: expected shares of {', '.join(MOTIONS)}, like recode=0.8,codec=0.2"
        )
    return {name: share for name, share in mix.items() if share}


def text_from_mix(mix: Mapping[str, float]) -> str:
    """Return a mix as ``mix_from_text`` reads it."""
    return ",".join(f"{name}={share:g}" for name, share in sorted(mix.items()))
