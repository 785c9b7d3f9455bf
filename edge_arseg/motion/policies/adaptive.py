"""Keyframes where they pay: close together where the keyframe predicts badly, far apart where it predicts well."""

import math

from edge_arseg.arguments import is_number, refusal_of
from edge_arseg.motion.keyframe import SCENE_CUT, FrameStatistics, KeyframePolicy
from edge_arseg.spec.frame import Branch

SHORTEST, LONGEST = 0.5, 2.5
"""Distances between keyframes, as shares of the interval that is aimed at."""

JUMP, LEVEL = 2.5, 2.0
"""A cut that vectors do not show: the error grows by this factor from one frame to the next, from at least so many grey
levels."""

_GAIN = 0.5
"""How fast the budget follows: of the relative error of one distance."""


class AdaptivePolicy:
    """A ``Policy`` that aims at as many keyframes as ``KeyframePolicy(interval)`` sets, and puts them elsewhere.

    The warp errors of the frames since a keyframe add up. A budget limits their sum: where it is used up, a keyframe
    follows. The budget itself follows the distances that come out, so that these are ``interval`` on average, whatever
    the camera and its noise. Scene cuts and damage make keyframes as ever, and start the sum anew; so does an error
    that jumps: encoders find some vectors across a cut as well. A keyframe that another policy makes, as
    ``KeyAfterDrops`` does, starts the sum anew, too.

    It keeps what it has learnt for one source; a new one (``distance`` is ``None``) begins with keyframes ``interval``
    apart.

    Args:
        interval: frames between keyframes on average; they are ``SHORTEST`` to ``LONGEST`` of it apart.
        scene_cut: see ``KeyframePolicy``.
        follow_codec: see ``KeyframePolicy``.

    Attributes:
        interval, follow_codec: as above.

    Raises:
        OptionError: a value is out of range.
    """

    def __init__(self, interval: int = 12, scene_cut: float = SCENE_CUT, follow_codec: bool = False) -> None:
        if not is_number(interval, 2) or interval == math.inf:
            raise refusal_of("an average keyframe interval of", interval, "frames, 2 or more")
        self.interval = interval
        self._shortest, longest = max(1, round(SHORTEST * interval)), round(LONGEST * interval)
        self.follow_codec = follow_codec
        self._always = KeyframePolicy(longest, scene_cut, follow_codec)
        self._budget: float | None = None
        self._spent = 0.0
        self._last: float | None = None  # error of the frame before, to the same keyframe

    def __call__(self, frame: FrameStatistics) -> Branch:
        """Return the branch of a frame."""
        if frame.distance is None:
            self._budget = None
            return self._key()
        if frame.distance <= frame.dropped + 1:  # the frame before was a keyframe, whoever made it one
            self._begin()
        error = frame.warp_error or 0.0
        jumps = self._last is not None and error > JUMP * max(self._last, LEVEL)
        self._last = error
        self._spent += error * (frame.dropped + 1)
        if self._always(frame) is Branch.HR:
            if frame.distance >= self.interval:
                self._learn(frame.distance)
            return self._key()
        if jumps:
            return self._key()
        if frame.distance < self._shortest:
            return Branch.LR
        used_up = frame.distance >= self.interval if self._budget is None else self._spent >= self._budget
        if not used_up:
            return Branch.LR
        self._learn(frame.distance)
        return self._key()

    def _key(self) -> Branch:
        self._begin()
        return Branch.HR

    def _begin(self) -> None:
        self._spent, self._last = 0.0, None

    def _learn(self, distance: int) -> None:
        if self._budget is None:
            self._budget = self._spent
        else:
            self._budget *= 1 + _GAIN * (self.interval - distance) / self.interval / LONGEST
