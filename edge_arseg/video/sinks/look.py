"""What sinks are told of the results that they will get."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_arseg.arguments import is_number, refusal_of, sides_from
from edge_arseg.spec.model import ClassInfo
from edge_arseg.video.overlay.style import OverlayStyle

FASTEST = 2**31 - 1
"""Frames a second that a sink is told of, at most: FFmpeg holds no more."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a run says of its results: arguments of ``open_sink``.

    Attributes:
        size: rows and columns of the output.
        rate: frames a second, as a hint for encoders.
        classes: names and colours, by index.
        style: how the overlay looks.
        force: what is there may be replaced.
        live: the source does not wait: what a sink has no time for is dropped and counted.

    Raises:
        OptionError: the size is no rows and columns, the rate no number above 0, or the classes are none.
    """

    size: tuple[int, int]
    rate: float
    classes: tuple[ClassInfo, ...]
    style: OverlayStyle
    force: bool
    live: bool = False

    def __post_init__(self) -> None:
        size, rate = self.size, self.rate
        if (sides := sides_from(size, 1)) is None:
            raise refusal_of("results of the size", size, "(height, width), whole numbers, each 1 or more")
        object.__setattr__(self, "size", sides)
        if not is_number(rate, 0) or not 0 < rate <= FASTEST:
            raise refusal_of("a rate of", rate, f"frames a second, above 0, up to {FASTEST}")
        object.__setattr__(self, "rate", float(rate))
        if not isinstance(self.classes, Sequence) or not all(isinstance(info, ClassInfo) for info in self.classes):
            raise refusal_of("classes", self.classes, "those of a bundle: bundle.manifest.model.classes")
