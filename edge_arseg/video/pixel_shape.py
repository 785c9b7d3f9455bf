"""The shape of pixels, which are not square in anamorphic recordings: DV, DVB, HDV."""

from fractions import Fraction
from typing import Any

SQUARE = Fraction(1)
_SEEN, _ABSURD = (0.95, 1.05), (0.1, 10.0)
"""Width of a pixel over its height: what nobody sees, and what no recorder means."""


class PixelShape:
    """Follows what a stream says of its pixels: at first what its container says, then what changes in the stream.

    Args:
        ratio: width over height, as the container says; ``None``, and what no recorder means: square.
    """

    def __init__(self, ratio: Fraction | None) -> None:
        self._said = _believed(ratio)
        self._coded: Fraction | None = None
        self._begun = False

    def ratio(self, context: Any, *, intra: bool) -> Fraction:
        """Width over height of the pixels of the next picture.

        Args:
            context: of the decoder. It knows of a change before it gives out the pictures that it held back.
            intra: the picture is one, with which alone such a change begins.
        """
        coded = context.sample_aspect_ratio
        if self._begun and intra and coded and coded != self._coded:
            self._said = _believed(coded)
        if intra or not self._begun:
            self._coded = coded or self._coded
        self._begun = True
        return self._said


def _believed(ratio: Fraction | None) -> Fraction:
    if not ratio or not _ABSURD[0] < ratio < _ABSURD[1] or _SEEN[0] < ratio < _SEEN[1]:
        return SQUARE
    return Fraction(ratio)
