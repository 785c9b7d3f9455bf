"""Which frames run through the HR branch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from edge_arseg.arguments import check_callable, is_number, refusal_of
from edge_arseg.errors import OptionError
from edge_arseg.spec.frame import Branch, SegmentedFrame

SCENE_CUT = 0.3
"""Share of a frame without vectors above which it is a scene cut, see `benchmarks/results/scene_cuts.json`."""

NO_SCENE_CUT = 1.0
"""What no frame exceeds: there are no scene cuts, and keyframes come at fixed distances."""


@dataclass(frozen=True, slots=True)
class FrameStatistics:
    """What a policy looks at.

    Attributes:
        distance: frames since the keyframe, 1 for the next one; ``None`` where there is no keyframe yet. A keyframe
            whose HR pass is still under way counts.
        intra_ratio: of the step to this frame (``MotionField.intra_ratio``), 0 to 1.
        intra: the stream coded this frame without reference to others.
        damaged: the decoder reported corruption in this frame, or in one dropped just before it.
        damaged_since: it reported corruption in an earlier frame since the keyframe, or in the keyframe.
        warp_error: of the flow to the keyframe (``MotionField.warp_error``); ``None``: not measured.
        dropped: frames of a live source that were dropped just before this one.
        last: what became of the frame before; ``None`` for the first one, and where nothing is segmented. Its class map
            is whole; its flow and its ``frame.rgb`` are this frame's already.
    """

    distance: int | None
    intra_ratio: float = 0.0
    intra: bool = False
    damaged: bool = False
    damaged_since: bool = False
    last: SegmentedFrame | None = None
    warp_error: float | None = None
    dropped: int = 0


Policy: TypeAlias = Callable[[FrameStatistics], Branch]
"""Picks the branch of a frame: HR makes it a keyframe. It is asked once for every frame, in order. The first frame of a
source (``distance`` is ``None``) is a keyframe whatever the policy says. A policy that makes every intra frame of the
stream a keyframe says so by an attribute ``follow_codec``: recoding then begins anew there."""


@dataclass(frozen=True, slots=True)
class KeyframePolicy:
    """When a frame becomes a keyframe: a ``Policy`` of three thresholds.

    Every intra-coded frame may become a keyframe, none has to; damage makes the next sound frame one.

    Attributes:
        interval: L; keyframes are at most this many frames apart, dropped frames counted. 1: every frame is one.
        scene_cut: a larger share of the frame than this without vectors is a scene cut, 0 to 1. 1.0 turns it off. Of
            ordinary recoded frames at most 0.21 has none. At cuts x264 gives nearly no vectors, the encoder of
            ``recode`` to as much as 0.7 of the frame: 0.3 finds 99.6 % of 240 cuts between recorded pictures, 0.5
            finds 95.0 %.
        follow_codec: every frame that the stream coded without reference to others becomes a keyframe.

    Raises:
        OptionError: a value is out of range.
    """

    interval: int = 12
    scene_cut: float = SCENE_CUT
    follow_codec: bool = False

    def __post_init__(self) -> None:
        if not is_number(self.interval, 1):  # nor NaN, after which no keyframe would come
            raise refusal_of("a keyframe interval of", self.interval, "frames, 1 or more")
        if not is_number(self.scene_cut, 0, 1):
            raise refusal_of("a scene-cut threshold of", self.scene_cut, "a share of the frame, 0 to 1")

    def __call__(self, frame: FrameStatistics) -> Branch:
        """Return the branch of a frame."""
        key = (
            frame.distance is None
            or frame.distance >= self.interval
            or frame.intra_ratio > self.scene_cut
            or (frame.damaged_since and not frame.damaged)
            or (self.follow_codec and frame.intra)
        )
        return Branch.HR if key else Branch.LR


def check_policy(policy: object) -> None:
    """Refuse what is no policy.

    Raises:
        OptionError: it cannot be called.
    """
    check_callable("a keyframe policy", policy, "a function of FrameStatistics that returns a Branch")


def branch_from_statistics(frame: FrameStatistics, policy: Policy) -> Branch:
    """Return the branch of a frame by any policy.

    Raises:
        OptionError: the policy answers with something else than a branch.
    """
    branch = policy(frame)
    if frame.distance is None:
        return Branch.HR
    if not isinstance(branch, Branch):
        raise OptionError(f"the keyframe policy answered {branch!r}, expected Branch.HR or Branch.LR")
    return branch
