"""The part of a training's recipe that both trainings have."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from edge_arseg.training.run.step_precision import AUTO

FACTORS = (
    "overlap",
    "boundary",
    "class_balance",
    "feature_weight",
    "teacher_classes",
    "teacher_feature",
    "encoder_rate",
    "weight_decay",
)
"""Settings that can be so large that the loss is no longer a number, beside the learning rate."""

LATER = {"since": "0.2.0"}
"""Marks a setting that runs of 0.1.0 do not know, so that they can be continued."""


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
        encoder_rate: learning rate of the backbone's ``encoder``, as a share of the others'.
        fixed_statistics: the encoder's normalisation keeps the statistics that it starts with.
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
    encoder_rate: float = field(default=1.0, metadata=LATER)
    fixed_statistics: bool = field(default=False, metadata=LATER)

    def record(self) -> dict[str, Any]:
        """All values, as plain containers, but for later ones at their defaults."""
        same = {one.name for one in dataclasses.fields(self) if one.metadata and getattr(self, one.name) == one.default}
        return {name: value for name, value in dataclasses.asdict(self).items() if name not in same}

    def raised(self) -> list[str]:
        """Return the options of ``FACTORS`` that are larger than usual, with their values."""
        usual = {one.name: one.default for one in dataclasses.fields(self) if one.name in FACTORS}
        return [
            f"--{name.replace('_', '-')} {getattr(self, name):g}"
            for name, default in usual.items()
            if isinstance(default, (int, float)) and getattr(self, name) > default
        ]
