"""What became of a setting that was tried."""

from dataclasses import dataclass
from enum import Enum

from edge_arseg.tuning.search.limits import Limits
from edge_arseg.tuning.search.outcome import Outcome
from edge_arseg.tuning.search.setting import Setting
from edge_arseg.tuning.trials.scoring import FrameScores


class Cause(str, Enum):
    """What a setting was given up for."""

    RIVAL = "rival"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Why a setting was given up before its end.

    Attributes:
        cause: another setting, or a limit: other limits may let it stand.
        why: in words.
    """

    cause: Cause
    why: str

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class Tried:
    """A setting that was tried.

    Attributes:
        setting: it.
        outcome: what it came to, as far as it was measured: ``nan`` where it was not.
        given_up: why it was given up before its end; ``None``: it was not.
        scores: of its frames.
    """

    setting: Setting
    outcome: Outcome
    given_up: GivenUp | None
    scores: FrameScores | None

    def stands(self, limits: Limits) -> bool:
        """Whether it need not be tried again with these limits: others may have been why it was given up."""
        return (
            self.given_up is None
            or self.given_up.cause is Cause.RIVAL
            or too_slow(self.outcome, limits) is not None
            or (limits.miou is not None and self.outcome.miou_high < limits.miou)
        )


def too_slow(outcome: Outcome, limits: Limits) -> GivenUp | None:
    """Return why a setting is given up whose mean time is surely beyond its limit; ``None``: it may hold it."""
    if limits.mean_ms is None or not outcome.mean_low > limits.mean_ms:  # also where it is nan
        return None
    return GivenUp(Cause.LIMIT, f"surely slower than {limits.mean_ms:g} ms: {outcome.mean_low:.1f} or more")
