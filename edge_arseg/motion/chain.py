"""Frames in, branch and flow out: the accumulator with the keyframe policy."""

from edge_arseg.motion.accumulate import Accumulator
from edge_arseg.motion.keyframe import FrameStatistics, KeyframePolicy, Policy, branch_from_statistics
from edge_arseg.spec.frame import Branch, Frame, MotionField, SegmentedFrame


class MotionChain:
    """Follows a source frame by frame and resets the flow on the keyframes that the policy picks.

    ::

        chain = MotionChain(reader.height, reader.width, policy=KeyframePolicy(interval=12))
        for frame in reader:
            branch, motion = chain.follow(frame)

    Args:
        height: of the frames, luma pixels.
        width: of the frames, luma pixels.
        block: side of a flow cell: 2, 4 or 8 luma pixels.
        policy: when a frame becomes a keyframe; any ``Policy``.

    Raises:
        OptionError: a value is out of range.
    """

    def __init__(self, height: int, width: int, *, block: int = 4, policy: Policy | None = None) -> None:
        self.policy: Policy = policy or KeyframePolicy()
        self._accumulator = Accumulator(height, width, block=block)
        self._key_index: int | None = None
        self._damaged_since = False

    def follow(self, frame: Frame, last: SegmentedFrame | None = None) -> tuple[Branch, MotionField]:
        """The branch for ``frame``, and the flow back to its keyframe.

        A keyframe gets zero flow, with the ``intra_ratio`` that its own step had. The flow is a view: see
        ``Accumulator.field`` for how long it lives.

        Args:
            frame: the next one of the source.
            last: what became of the one before, for policies that look at it.

        Raises:
            OptionError: the policy answers with something else than a branch.
        """
        motion = self._accumulator.follow(frame)
        distance = None if self._key_index is None else frame.index - self._key_index
        statistics = FrameStatistics(
            distance, motion.intra_ratio, frame.intra, frame.damaged, self._damaged_since, last
        )
        branch = branch_from_statistics(statistics, self.policy)
        if branch is Branch.HR:
            self._accumulator.reset()
            self._key_index = frame.index
            self._damaged_since = frame.damaged
        else:
            self._damaged_since |= frame.damaged
        return branch, motion
