"""Keyframes behind dropped frames."""

from dataclasses import dataclass

from edge_arseg.motion.keyframe import FrameStatistics, Policy, check_policy
from edge_arseg.spec.frame import Branch


@dataclass(frozen=True, slots=True)
class KeyAfterDrops:
    """A ``Policy``: the frame behind dropped ones becomes a keyframe; others as another policy says.

    Attributes:
        policy: for the others. It is asked for every frame. What it says of the intra frames of a stream holds for this
            one (``follow_codec``).

    Raises:
        OptionError: it cannot be called.
    """

    policy: Policy

    def __post_init__(self) -> None:
        check_policy(self.policy)

    @property
    def follow_codec(self) -> bool:
        """Whether the other policy makes every intra frame of the stream a keyframe."""
        return bool(getattr(self.policy, "follow_codec", False))

    def __call__(self, frame: FrameStatistics) -> Branch:
        """Return the branch of a frame."""
        branch = self.policy(frame)
        return Branch.HR if frame.dropped else branch
