"""The stream's own vectors against recoded ones, by what a chain of each is worth on the same pictures."""

from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from edge_arseg.motion.accumulate import Accumulator
from edge_arseg.motion.warp_error import WarpError
from edge_arseg.spec.frame import MotionSource

STEPS = 8
"""Pictures that are followed in one round; at about so many, vectors of short searches have drifted off."""

PAUSE = 250
"""Pictures between two rounds."""

SMALLEST = 16
"""Rows and columns of a picture that can be compared, at least."""

_TRIES = 3
"""Rounds that an intra picture broke off, after which there is a pause."""

LEAVE, TAKE = (1.25, 0.5), (1.03, 0.1)
"""Factor and grey levels on the error of recoded vectors: above the first the stream's own are left, below the second
they are taken. In between everything stays as it is, so that no noise changes it to and fro."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a round came to: mean warp errors, grey levels.

    Attributes:
        own: of the stream's vectors.
        recoded: of recoded ones.
    """

    own: float
    recoded: float

    def better(self, now: MotionSource) -> MotionSource:
        """Return the source to use from here on.

        Args:
            now: that is used: ``CODEC`` or ``RECODE``.
        """
        factor, levels = LEAVE if now is MotionSource.CODEC else TAKE
        limit = factor * self.recoded + levels
        return MotionSource.CODEC if self.own <= limit else MotionSource.RECODE

    def __str__(self) -> str:
        return f"warp error {self.own:.1f} with the stream's own vectors, {self.recoded:.1f} recoded"


class Contest:
    """Follows rounds of pictures with both kinds of vectors.

    ::

        if contest.wants(picture_has_vectors):
            verdict = contest.step(luma, own, recoded)

    Args:
        height: of the pictures, pixels.
        width: of the pictures, pixels.
    """

    def __init__(self, height: int, width: int) -> None:
        self._own, self._recoded = (Accumulator(height, width, block=8) for _ in range(2))
        self._error = WarpError(height, width, block=8)
        self._errors: list[tuple[float, float]] = []
        self._pause = 0
        self._following = False
        self._tries = 0

    @property
    def begins(self) -> bool:
        """Whether the next picture that is looked at is the first of a round; its vectors do not count."""
        return not self._following

    def wants(self, sound: bool) -> bool:
        """Whether to look at the next picture; called once for each.

        Args:
            sound: it has vectors of its own, and they lead to the picture before it.
        """
        if self._pause:
            self._pause -= 1
            return False
        if self._following and not sound:
            self._tries += 1
            self._following = False
            if self._tries >= _TRIES:
                self._rest()
                return False
        return True

    def step(
        self, picture: av.VideoFrame, own: NDArray[np.void] | None, recoded: NDArray[np.void] | None
    ) -> Verdict | None:
        """Follow a picture.

        Args:
            picture: of the size given.
            own: the stream's vectors to the picture before, in pixels of this one.
            recoded: the same by encoding it again.

        Returns:
            What the round came to, with its last picture.
        """
        luma = np.asarray(picture.reformat(format="gray").to_ndarray(), np.uint8)
        if not self._following:
            self._own.reset()
            self._recoded.reset()
            self._error.key(luma)
            self._errors, self._following = [], True
            return None
        self._errors.append((self._after(self._own, luma, own), self._after(self._recoded, luma, recoded)))
        if len(self._errors) < STEPS:
            return None
        self._rest()
        by_own, by_recoded = np.mean(self._errors, axis=0).tolist()
        return Verdict(by_own, by_recoded)

    def _after(self, chain: Accumulator, luma: NDArray[np.uint8], vectors: NDArray[np.void] | None) -> float:
        chain.step(vectors)
        return self._error.of(luma, chain.field(MotionSource.ZERO).flow) or 0.0

    def _rest(self) -> None:
        self._pause, self._tries, self._following = PAUSE, 0, False
