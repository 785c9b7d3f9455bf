"""What compiling consists of: a list of steps that a dry run prints and ``compile`` runs, the same for both."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum

from edge_arseg.spec.progress import Announce


class StepState(str, Enum):
    """How far a step is."""

    TODO = "to do"
    DONE = "there"  # from an earlier run
    MADE = "made"  # by this run
    ELSEWHERE = "elsewhere"
    NONE = "not needed"


@dataclass(frozen=True, slots=True)
class StepReport:
    """A step, as it is told.

    Attributes:
        name: ``bundle``, ``kernels``, or ``engine hr``.
        state: see ``StepState``.
        detail: what it does, or why it does nothing.
        estimate: RAM and time that it takes, in words, as far as they can be estimated.
        ram_bytes: that it takes, an estimate; ``None`` where there is none.
        minutes: that it took when it was done here before; ``None`` where it was not.
    """

    name: str
    state: StepState
    detail: str
    estimate: str = ""
    ram_bytes: int | None = None
    minutes: float | None = None


class Step(ABC):
    """One step. Later steps may look at what earlier ones made.

    Attributes:
        name: see ``StepReport``.
    """

    name: str

    @abstractmethod
    def state(self) -> StepState:
        """Return how far it is, as things are now."""

    @abstractmethod
    def report(self) -> StepReport:
        """Describe it, as things are now."""

    def check(self) -> None:  # noqa: B027 (most steps have nothing to refuse)
        """Refuse what ``run`` would refuse before it begins, and keep what it needs. Writes nothing.

        A dry run ends here.

        Raises:
            ArsegError: what ``run`` would raise.
        """

    def run(self, progress: Announce) -> None:
        """Do it, behind ``check``. Only steps that are to do are run.

        Args:
            progress: called with a line when it begins, and while it lasts.
        """
        raise NotImplementedError(f"{self.name} has nothing to do")
