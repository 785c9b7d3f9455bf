"""What compiling consists of, as a list that can be printed before anything is done."""

from dataclasses import dataclass
from enum import Enum


class StepState(str, Enum):
    """How far a step is."""

    TODO = "to do"
    DONE = "there"  # from an earlier run
    MADE = "made"  # by this run
    ELSEWHERE = "elsewhere"
    NONE = "not needed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        name: ``bundle``, ``kernels``, or ``engine hr``.
        state: see ``StepState``.
        detail: what it does, or why it does nothing.
    """

    name: str
    state: StepState
    detail: str
