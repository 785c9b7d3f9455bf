"""Motion across an intra picture, which has no vectors of its own."""

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.motion.accumulate import Accumulator
from edge_arseg.video.decoding.picture import Picture
from edge_arseg.video.rgb import resized
from edge_arseg.video.vectors.recode import Recoder

_INTRA = 1
_BARE = 0.25
"""Share of a picture without vectors, above which it is taken for another scene: 0.03 from one picture of a street to
the next, 0.33 and more across cuts, also to the same picture mirrored."""
_SMALLEST = 16
"""Rows and columns of a picture that can be compared, at least."""


class Bridge:
    """Encodes the picture before an intra picture again, and the intra picture after it.

    A camera sends an intra picture every second or so. Without vectors each ends the chain of motion, and a keyframe
    cannot wait. Behind a cut it must not wait, so pictures that have little in common get no vectors.

    Args:
        scale: see ``Recoder``.
    """

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._recoder: Recoder | None = None
        self._size = (0, 0)
        self._before: av.VideoFrame | None = None
        self._encoded: av.VideoFrame | None = None  # last; where all pictures are intra, each is encoded once

    def vectors(self, picture: Picture, size: tuple[int, int], *, alone: bool) -> NDArray[np.void] | None:
        """Follow the next picture.

        Args:
            picture: as decoded.
            size: rows and columns at which it is encoded again.
            alone: the picture before is none that this one can be compared with.

        Returns:
            Vectors of a whole intra picture to the picture before, in pixels of ``size``; ``None`` for all others, and
            where the two show little that is the same.
        """
        before, self._before = self._before, picture.frame
        if (
            alone
            or before is None
            or min(size) < _SMALLEST
            or picture.damaged
            or int(picture.frame.pict_type) != _INTRA
        ):
            return None
        if self._recoder is None or size != self._size:
            self._recoder, self._size = Recoder(*size, scale=self._scale), size
            self._encoded = None
        if before is not self._encoded:
            self._recoder.vectors(resized(before, *size), fresh=True)
        self._encoded = picture.frame
        vectors = self._recoder.vectors(resized(picture.frame, *size))
        return vectors if Accumulator(*size, block=8).step(vectors) <= _BARE else None
