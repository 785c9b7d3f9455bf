"""Ranges of activations."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Range:
    """The values that the integers of a tensor cover; ``low <= 0 <= high``."""

    low: float
    high: float

    def __or__(self, other: "Range") -> "Range":
        """The smallest range that holds both."""
        return Range(min(self.low, other.low), max(self.high, other.high))


Ranges = Mapping[str, Range]
"""Range of each tensor of a graph by the tensor's name."""

INTEGERS = {"uint8": (0, 255), "int8": (-127, 127)}
"""Smallest and largest integer by type; int8 is symmetric, so -128 is not used."""


def scale_from_range(values: Range, activations: str) -> tuple[float, int]:
    """Return ``(scale, zero_point)``: a value is ``scale * (integer - zero_point)``.

    Args:
        values: to cover.
        activations: ``uint8`` (asymmetric) or ``int8`` (symmetric, zero point 0).
    """
    lowest, highest = INTEGERS[activations]
    if activations == "int8":
        return (max(-values.low, values.high) or highest) / highest, 0
    scale = (values.high - values.low) / (highest - lowest) or 1.0
    return scale, int(np.clip(round(lowest - values.low / scale), lowest, highest))
