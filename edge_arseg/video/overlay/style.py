"""How an overlay looks."""

from dataclasses import dataclass
from typing import Final

from edge_arseg.arguments import is_number, refusal_of

PALETTES: Final = ("contrast", "dataset")


@dataclass(frozen=True, slots=True)
class OverlayStyle:
    """How an overlay looks: what is drawn on the picture of the source, or beside it.

    Attributes:
        alpha: how much of the class colour is mixed in, 0 (only the picture) to 1 (only the classes).
        palette: ``contrast``: colours that are far apart, also for colour-blind people; ``dataset``: those of the
            bundle, usually the data set's official ones.
        legend: list the classes that are seen with their shares, and say how the frame was made: branch, latency, fps.
        strip: put that in a strip below the picture, which becomes higher; without ``legend``, branch and speed alone.
        labels: write the name of a class on its largest region, where it fits.
        contours: draw a line along the borders of regions.
        compare: put the plain picture of the source to the left.
        motion: draw arrows from where the content was in the keyframe to where it is.

    Raises:
        OptionError: ``alpha`` is outside 0 to 1, or there is no such palette.
    """

    alpha: float = 0.5
    palette: str = "contrast"
    legend: bool = True
    strip: bool = False
    labels: bool = True
    contours: bool = True
    compare: bool = False
    motion: bool = False

    def __post_init__(self) -> None:
        if not is_number(self.alpha, 0, 1):
            raise refusal_of("an overlay alpha of", self.alpha, "0 (only the picture) to 1 (only the classes)")
        if not isinstance(self.palette, str) or self.palette not in PALETTES:
            raise refusal_of("overlay palette", self.palette, " or ".join(PALETTES))


DEFAULT_STYLE: Final = OverlayStyle()
PLAIN: Final = OverlayStyle(legend=False, labels=False, contours=False)
"""Class colours and nothing else."""
