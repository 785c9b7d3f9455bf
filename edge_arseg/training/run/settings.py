"""The part of a training's recipe that both trainings have."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from edge_arseg.training.run.step_precision import AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How long, how fast and how exactly a run goes.

    Attributes:
        steps: of the optimizer (AdamW).
        batch: views a step.
        rate: largest learning rate; see ``learning_rate``.
        warmup: steps until it is reached.
        weight_decay: of the convolutions; normalisation and biases have none.
        averaging: decay of the averaged weights, a step.
        overlap: factor of the overlap loss beside the cross entropy.
        score_every: steps between scores on what is held back.
        precision: that convolutions multiply in: ``bfloat16``, ``float32``, or ``auto`` for the faster of them here.
            Sums are float32 in both.
        seed: of all views, and of fresh weights.
    """

    steps: int
    batch: int = 8
    rate: float
    warmup: int
    weight_decay: float
    averaging: float = 0.998
    overlap: float = 0.5
    score_every: int = 250
    precision: str = AUTO
    seed: int = 1

    def record(self) -> dict[str, Any]:
        """All values, as plain containers."""
        return dataclasses.asdict(self)
