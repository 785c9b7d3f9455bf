"""Which runs through a clip score each frame at which distance from the keyframe."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_arseg.errors import OptionError

MOST = 10_000
"""Phases that ``all`` may stand for: the clip is run once for each."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One run through a clip.

    Attributes:
        clip: what ``open_video`` takes.
        offset: index in the source of the first frame of ``clip``; more than 0 where it was encoded from there on.
        skip: frames of ``clip`` that are read but not shown to the network: the one behind them is the first keyframe.
        phases: what this run stands for, each the index in the source of the first keyframe. More than one where the
            class maps do not depend on the keyframes.
    """

    clip: str | Path
    offset: int
    skip: int
    phases: tuple[int, ...]


def phases_from_text(text: str, interval: int) -> tuple[int, ...]:
    """Read ``all``, ``0`` or ``0,3,6,9``; see ``checked_phases``.

    Raises:
        OptionError: not numbers, out of range, or one twice; or ``all`` of more than anybody can mean.
    """
    if text.strip() == "all":
        if interval > MOST:
            raise OptionError(
                f"phases 'all' at an interval of {interval} frames seen, expected an interval of at most {MOST}: the "
                "clip is run once for each phase; name some, like 0,3,6,9"
            )
        return tuple(range(interval))
    try:
        phases = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise OptionError(f"phases {text!r} seen, expected all, or numbers like 0,3,6,9") from error
    return checked_phases(phases, interval)


def checked_phases(phases: Sequence[int], interval: int) -> tuple[int, ...]:
    """Return phases in ascending order.

    Raises:
        OptionError: none, one twice, or one that is not below ``interval``: it would repeat another.
    """
    if not phases or len(set(phases)) < len(phases) or not all(0 <= phase < interval for phase in phases):
        told = ",".join(map(str, phases))
        raise OptionError(
            f"phases {told!r} seen, expected different numbers from 0 to {interval - 1}: keyframes are {interval} "
            "frames apart"
        )
    return tuple(sorted(phases))


def distance_at(index: int, phase: int, interval: int) -> int:
    """Return the frames since the keyframe of frame ``index``, where keyframes lie at ``phase + k * interval``."""
    return (index - phase) % interval
